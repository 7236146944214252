// How much of a sliding window others use.

import Testing

@testable import RateLimit

@Suite struct UseByOthersTests {
  private let allowance = Allowance(count: 100, period: 60)

  @Test func isBelievedStepByStepAndHalvedInHalfAPeriod() {
    var others = UseByOthers(now: 0)
    others.see(40, allowance, at: 0)
    #expect(abs(others.use(at: 0, allowance) - 12) < 0.001)
    others.see(40, allowance, at: 0)
    #expect(abs(others.use(at: 0, allowance) - 20.4) < 0.001)
    #expect(abs(others.use(at: 30, allowance) - 10.2) < 0.001)
    #expect(others.requests(at: 30, allowance) == 10)
  }

  @Test func oneOrTwoAreNoise() {
    var others = UseByOthers(now: 0)
    others.see(2, allowance, at: 0)
    #expect(others.use(at: 0, allowance) == 0)
  }

  @Test func aRefusalAddsALittleAndNeverTheWholeLimit() {
    var others = UseByOthers(now: 0)
    others.refused(allowance, at: 0)
    #expect(others.use(at: 0, allowance) == 1)
    for _ in 0..<200 { others.refused(allowance, at: 0) }
    #expect(others.use(at: 0, allowance) == 99)
  }
}
