// What Resets say of a period that no reply names.

import Testing

@testable import RateLimit

@Suite struct LongestResetTests {
  @Test func twoInARowThatAgreeLengthenThePeriod() {
    var resets = LongestReset()
    #expect(resets.note(300, period: 60, at: 0) == nil)
    #expect(resets.note(299, period: 60, at: 1) == 300)
  }

  @Test func oneAloneIsNotBelieved() {
    var resets = LongestReset()
    #expect(resets.note(300, period: 60, at: 0) == nil)
    #expect(resets.note(50, period: 60, at: 1) == nil)
    #expect(resets.note(298, period: 60, at: 2) == nil)
    // Of the window that the last one showed 288 s must be left.
    #expect(resets.note(200, period: 60, at: 12) == nil)
  }

  @Test func nothingIsLengthenedWithoutAPeriodOrByLessThanItHas() {
    var resets = LongestReset()
    for second in 0..<5 {
      #expect(resets.note(300, period: nil, at: Double(second)) == nil)
      #expect(resets.note(60, period: 60, at: Double(second)) == nil)
    }
  }

  @Test func aGuessedPeriodIsReplacedIfTheLongestIsFarShorter() {
    var resets = LongestReset()
    #expect(resets.period(farShorterThan: 60) == nil)
    _ = resets.note(10, period: 60, at: 0)
    _ = resets.note(9, period: 60, at: 1)
    #expect(resets.period(farShorterThan: 60) == 10)
    #expect(resets.period(farShorterThan: 15) == nil)
    _ = resets.note(50, period: 60, at: 2)
    // One alone may come from elsewhere.
    #expect(resets.period(farShorterThan: 60) == 10)
    _ = resets.note(49, period: 60, at: 3)
    #expect(resets.period(farShorterThan: 60) == nil)
  }
}
