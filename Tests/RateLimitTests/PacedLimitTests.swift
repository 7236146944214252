// A quota without headers that refills all the time: the rate that passes is found by refusals.

import Testing

@testable import RateLimit

@Suite struct PacedLimitTests {
  /// 10 a second passed in the last 20 s.
  private let log = (1...200).map { 100 + Double($0) / 10 }

  private func limit() -> PacedLimit { PacedLimit(log: SentLog(log), now: 120) }

  /// Requests a second that it sends now.
  private func rate(_ limit: PacedLimit, at now: Seconds) -> Double {
    limit.turn(.at(now, lastSentAt: now)).instant.map { 1 / ($0 - now) } ?? .infinity
  }

  @Test func beginsWithTheRateThatPassed() {
    #expect(abs(rate(limit(), at: 120) - 10) < 0.1)
    #expect(rate(PacedLimit(log: SentLog(), now: 0), at: 0) > 0.09)
    #expect(limit().granted == nil)
    #expect(limit().supply(.at(120))?.isContinuous == true)
  }

  @Test func growsWithEverySuccessUntilTwoRefusalsHaveBoundedIt() {
    var limit = limit()
    for step in 1...10 { _ = limit.succeeded(.to(sentAt: 120 + Double(step))) }
    // At most 6 % each.
    #expect((10 * 1.7...10 * 1.85).contains(rate(limit, at: 120.1)))
    _ = limit.refuse(nil, wait: nil, .refusal(sentAt: 131, log: log))
    let first = rate(limit, at: 131.1)
    #expect((8.5...9.5).contains(first))
    for step in 1...5 { _ = limit.succeeded(.to(sentAt: 132 + Double(step))) }
    let second = rate(limit, at: 137.1)
    #expect((first * 1.09...first * 1.13).contains(second))
    _ = limit.refuse(nil, wait: nil, .refusal(sentAt: 138, log: log))
    let third = rate(limit, at: 138.1)
    for step in 1...5 { _ = limit.succeeded(.to(sentAt: 139 + Double(step))) }
    #expect(rate(limit, at: 138.1) == third)
  }

  @Test func growsSlowlyNearTheRateThatWasRefusedAndFastFarFromIt() {
    let limit = limit()
    let first = rate(limit, at: 120)
    let grown = [20.0, 40, 100, 160, 320].map { rate(limit, at: 120 + $0) / first }
    #expect(zip(grown, [1.06, 1.24, 3.7, 13.32, 13.64]).allSatisfy { abs($0 - $1) < 0.001 })
  }

  /// Otherwise one in thirty would be refused of one a second.
  @Test func aLowRateGrowsMoreSlowly() {
    let limit = PacedLimit(log: SentLog((1...60).map { 60 + Double($0) }), now: 120)
    let first = rate(limit, at: 120)
    #expect((0.95...1.05).contains(first))
    #expect(abs(rate(limit, at: 120 + 60 / first) / first - 1.06) < 0.001)
  }

  @Test func aSecondRefusalSoonAfterTheFirstHalvesIt() {
    var limit = limit()
    for instant in [130.0, 140] { _ = limit.refuse(nil, wait: nil, .refusal(sentAt: instant)) }
    let before = rate(limit, at: 140.1)
    _ = limit.refuse(nil, wait: nil, .refusal(sentAt: 141))
    #expect(abs(rate(limit, at: 141.1) / before - 0.5) < 0.01)
  }

  @Test func pausesAreEverLongerAndVary() throws {
    var limit = limit()
    var pauses: [Seconds] = []
    for round in 0..<4 {
      let sentAt = 130 + 20 * Double(round)
      let until = try limit.refuse(nil, wait: nil, .refusal(sentAt: sentAt, isProbe: round > 0, chance: 0.5)).until()
      pauses.append(((until - sentAt - 0.1) * 10).rounded() / 10)
    }
    #expect(pauses == [1, 2, 4, 8])
    var other = self.limit()
    let least = try other.refuse(nil, wait: nil, .refusal(sentAt: 130, chance: 0)).until()
    #expect(abs(least - 130.9) < 0.001)
    let told = try other.refuse(nil, wait: 60, .refusal(sentAt: 140, isProbe: true)).until()
    #expect(abs(told - 200.1) < 0.001)
  }

  @Test func stragglersOfARefusalStopNobody() {
    var limit = limit()
    _ = limit.refuse(nil, wait: nil, .refusal(sentAt: 130))
    let before = rate(limit, at: 131)
    #expect(limit.refuse(nil, wait: nil, .refusal(sentAt: 130.05)) == .ignored)
    #expect(rate(limit, at: 131) == before)
  }

  @Test func quotaThatDoesNotComeBackIsNoRefill() {
    var limit = limit()
    for round in 0..<4 {
      let refusal = ReceivedReply.refusal(sentAt: 130 + 20 * Double(round), isProbe: round > 0)
      guard case .closed(_, nil) = limit.refuse(nil, wait: nil, refusal) else {
        Issue.record("given up after \(round + 1)")
        return
      }
    }
    guard case .closed(_, .searched) = limit.refuse(nil, wait: nil, .refusal(sentAt: 230, isProbe: true)) else {
      Issue.record("it goes on with a rate that nothing passes at")
      return
    }
  }
}
