// One fixed window after the other: when a request goes, when one asks, and what a refusal means.

import Testing

@testable import RateLimit

@Suite struct WindowLimitTests {
  /// 600 in 60 s, read from a reply to a request that was sent at 0: the window ends between 44 and 46.1 s.
  private func window(
    _ remaining: Int = 599, reserve: PacerSettings.Reserve = .automatic, learned: LearnedLimits.Limit? = nil
  ) -> WindowLimit {
    WindowLimit(
      .told(remaining, reset: 45), allowance: Allowance(count: 600, period: 60), learned: learned, reserve: reserve,
      .to(sentAt: 0))
  }

  @Test func aloneItIsUsedTenTimesFasterThanEven() throws {
    let next = try #require(window().turn(.at(1, lastSentAt: 1)).instant)
    // 39.7 s are usable for 593 requests, so that even is one every 0.067 s.
    #expect(abs(next - 1.0067) < 0.0002)
    #expect(window().turn(.at(1, lastSentAt: 0.99)) == .go)
  }

  @Test func whereWindowsAreSureToBeFixedItIsUsedLessThanTwiceAsFastAsEven() throws {
    var window = window()
    // Three replies whose Date and Reset agree on a multiple of a minute.
    for second in 1...3 {
      window.sent(Flight(sequence: UInt64(second), sentAt: Double(second), isProbe: false))
      let (date, reset) = (999_975 + Double(second), 45 - Double(second))
      _ = window.observe(.told(599 - second, reset: reset, date: date), .to(sentAt: Double(second)))
    }
    #expect(window.edge.isAligned == true)
    let next = try #require(window.turn(.at(4, lastSentAt: 4)).instant)
    #expect((4.02..<4.06).contains(next))
  }

  @Test func withOthersItIsUsedLittleFasterThanEven() throws {
    // 199 were taken by others.
    let window = window(400)
    #expect(window.reserved(.at(1)) > 100)
    let next = try #require(window.turn(.at(1, lastSentAt: 1)).instant)
    let usable = Double(window.available(.at(1)) - window.reserved(.at(1)))
    #expect(abs(next - 1 - 39.7 / usable / 1.15) < 0.001)
  }

  @Test func theRestGoesAtOnceWhenTheBacklogFits() {
    #expect(window().turn(.at(1, backlog: 599, lastSentAt: 1)) == .go)
    #expect(window(reserve: .share(0.5)).turn(.at(1, backlog: 400, lastSentAt: 1)) != .go)
  }

  @Test func anEmptyWindowIsWaitedOutAndThenOneAsks() throws {
    var window = window()
    _ = window.refuse(.told(0, reset: 44), wait: nil, .refusal(sentAt: 1))
    let wakes = try #require(window.turn(.at(2)).instant)
    #expect((46.1..<46.3).contains(wakes))
    #expect(window.turn(.at(wakes)) == .probe)
  }

  @Test func whatIsLeftOfAWindowPassesInTheNextEitherWay() {
    #expect(window().turn(.at(47)) == .go)
  }

  @Test func theFirstReplyAfterTheEndBeginsTheNextWindow() {
    var window = window(100)
    #expect(window.observe(.told(598, reset: 59), .to(2, sentAt: 46.5)) == nil)
    #expect(window.windows == 1)
    #expect(window.available(.at(46.7)) == 598)
    #expect(abs(window.resetsIn(.at(46.6)) - 59) < 1.1)
  }

  @Test func silentRepliesAfterTheEndBeginOneToo() {
    var window = window(100)
    window.observeSilence(.to(2, sentAt: 30))
    #expect(window.available(.at(31)) == 99)
    window.observeSilence(.to(3, sentAt: 50))
    #expect(window.available(.at(51)) == 599)
    window.observeSilence(.to(4, sentAt: 240, kind: .refused))
    #expect(window.windows == 1)
  }

  /// A sliding count gives back what is a period old, and its Reset is always near where not much is left.
  @Test func aUsedUpWindowThatLetsMorePassThanItHoldsIsNone() {
    var window = WindowLimit(
      .told(9, of: 10, in: 5, reset: 5), allowance: Allowance(count: 10, period: 5), learned: nil, reserve: .automatic,
      .to(sentAt: 0))
    for number in 2...10 {
      window.sent(Flight(sequence: UInt64(number), sentAt: 0.1, isProbe: false))
      _ = window.observe(.told(10 - number, of: 10, in: 5, reset: 5), .to(UInt64(number), sentAt: 0.1))
    }
    #expect(window.turn(.at(5.5)) == .probe)
    // What is left of an old window, where the server begins the new one late, is never more than it was.
    for (number, remaining) in [(11, 0), (12, 3)] {
      window.sent(Flight(sequence: UInt64(number), sentAt: 5.5, isProbe: true))
      let successor = window.observe(
        .told(remaining, of: 10, in: 5, reset: 0), .to(UInt64(number), sentAt: 5.5, isProbe: true))
      #expect(successor == (remaining > 0 ? .sliding(remaining: remaining) : nil))
    }
  }

  @Test func whatOthersTookIsRemembered() throws {
    var window = window(100)
    for round in 0..<4 {
      let start = 46.5 + 60 * Double(round)
      _ = window.observe(.told(599, reset: 59), .to(sentAt: start))
      _ = window.observe(.told(550, reset: 30), .to(sentAt: start + 29))
    }
    let learned = try #require(window.learned(name: "keys"))
    #expect(learned.takenByOthers == [49, 49, 49])
    // The first window was seen in part, and the last is not over.
    #expect(learned.allowance == Allowance(count: 600, period: 60))
  }

  // MARK: Refusals

  @Test func aRefusalOfThePastWindowStopsNobody() {
    var window = window()
    _ = window.observe(.told(598, reset: 59), .to(2, sentAt: 46.5))
    #expect(window.refuse(.told(0, reset: 1), wait: nil, .refusal(1, sentAt: 40)) == .ignored)
    #expect(window.available(.at(47)) == 598)
  }

  @Test func aRefusalWithRequestsLeftIsOfAnotherLimit() throws {
    var window = window()
    #expect(window.refuse(.told(50), wait: nil, .refusal(sentAt: 1)) == .elsewhere)
    _ = try window.refuse(.told(50), wait: 3, .refusal(sentAt: 1)).until()
  }

  @Test func aRefusalThatWasExpectedWaitsForTheEnd() throws {
    var window = window(1)
    let until = try window.refuse(.told(0, reset: 44), wait: nil, .refusal(sentAt: 1)).until()
    #expect((46.1..<46.3).contains(until))
  }

  @Test func aRefusalThatWasNotIsAskedAboutSoonWhereWindowsMayBeNone() throws {
    var window = window(500)
    let until = try window.refuse(nil, wait: nil, .refusal(sentAt: 1)).until()
    // A twentieth of a period, and the server's lateness.
    #expect((4.1..<4.3).contains(until))
  }

  @Test(arguments: [(10.0, 11.1), (45.5, 46.1), (0, 1.1)])
  func aRetryAfterIsObeyedAndWhereItMeansTheEndTheEndIs(wait: Seconds, expected: Seconds) throws {
    var window = window(1)
    let until = try window.refuse(nil, wait: wait, .refusal(sentAt: 1)).until()
    #expect((expected...expected + 0.1).contains(until))
  }

  @Test func eachRefusedProbeWaitsLongerAndEachWindowForgetsALittle() throws {
    var window = window(1)
    #expect(window.lateness == 0.05)
    var gaps: [Seconds] = []
    for round in 0..<6 {
      let sentAt = 47 + 2 * Double(round)
      let until = try window.refuse(.told(0, reset: 0), wait: nil, .refusal(sentAt: sentAt, isProbe: true)).until()
      gaps.append(until - sentAt - 0.1)
    }
    #expect(zip(gaps, gaps.dropFirst()).allSatisfy { $0 <= $1 + 1e-9 })
    #expect(window.lateness == 2)
    #expect(try #require(gaps.last) < 3.1)
    _ = window.observe(.told(598, reset: 45), .to(2, sentAt: 60))
    #expect(abs(window.lateness - 1.86) < 0.001)
  }

  @Test func aFreshWindowThatAHeaderAloneCallsEmptyIsDoubted() throws {
    var window = window()
    _ = window.observe(.told(0, reset: 59), .to(2, sentAt: 46.5))
    let again = try #require(window.turn(.at(46.7)).instant)
    #expect((47.6..<47.8).contains(again))
    #expect(window.turn(.at(48)) == .probe)
    // A refusal leaves no doubt.
    _ = window.refuse(.told(0, reset: 57), wait: nil, .refusal(3, sentAt: 48, isProbe: true))
    #expect(try #require(window.turn(.at(50)).instant) > 100)
  }

  @Test func theOperatorsShareIsNeverTaken() {
    let window = window(300, reserve: .share(0.5))
    #expect(window.reserved(.at(1)) == 300)
    #expect(window.turn(.at(1, backlog: 1)) != .go)
  }
}
