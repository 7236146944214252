// A limit that is counted over the last period at every moment.

import Testing

@testable import RateLimit

@Suite struct SlidingLimitTests {
  private func limit(
    _ count: Int = 10, remaining: Int = 0, reserve: PacerSettings.Reserve = .automatic
  ) -> SlidingLimit {
    SlidingLimit(
      allowance: Allowance(count: count, period: 60), remaining: remaining, reserve: reserve, now: 0)
  }

  @Test func sendsWhileLogAndServerHaveRoom() {
    #expect(limit(remaining: 5).turn(.at(1, inFlight: 2)) == .go)
    // The server has none, but one alone may ask.
    #expect(limit().turn(.at(1, inFlight: 2)) == .reply)
    #expect(limit().turn(.at(1)) == .go)
  }

  @Test func aFullLogIsWaitedForUntilItsOldestEntryExpires() throws {
    let log = (0..<10).map { 50 + Double($0) / 10 }
    let next = try #require(limit().turn(.at(106, log: log)).instant)
    #expect((110.01...110.02).contains(next))
    #expect(limit().turn(.at(next, log: log)) == .go)
    // Others may leave room before that: it is looked at each tenth of a period.
    #expect(limit().turn(.at(60, log: log)) == .wait(until: 66))
  }

  @Test func muchThatTheLogDoesNotExplainIsBelieved() {
    let log = (0..<10).map { 50 + Double($0) / 10 }
    #expect(limit(remaining: 3).turn(.at(60, log: log)) == .go)
    #expect(limit(remaining: 2).turn(.at(60, log: log)) != .go)
  }

  @Test(arguments: [(2, Turn.reply), (3, .go)])
  func afterThreeAgreementsTheLogAloneDecides(agreements: Int, expected: Turn) {
    var limit = limit(20)
    let log = (0..<10).map { Double($0) }
    for round in 0..<agreements {
      _ = limit.observe(.told(16, of: 20), .to(UInt64(round + 2), sentAt: 70 + 2 * Double(round), log: log))
    }
    // All that the server said was left is under way.
    #expect(limit.turn(.at(75, inFlight: 16, log: log)) == expected)
  }

  @Test func whatOthersTakeIsNotOurs() {
    var limit = limit(20, remaining: 20)
    for round in 0..<10 {
      _ = limit.observe(.told(5, of: 20), .to(UInt64(round + 2), sentAt: Double(round)))
    }
    #expect((5...7).contains(limit.available(.at(9.5))))
    // They leave the window, too.
    #expect(limit.available(.at(130)) > 16)
  }

  @Test func theOperatorsShareStaysFree() {
    let log = (0..<5).map { 50 + Double($0) }
    #expect(limit(remaining: 5, reserve: .share(0.5)).turn(.at(60, log: log)) != .go)
    #expect(limit(remaining: 5, reserve: .share(0.5)).reserved(.at(60, log: log)) == 5)
    #expect(limit(remaining: 5, reserve: .share(0.4)).turn(.at(60, log: log)) == .go)
  }

  @Test func refusalsPauseEverLongerAndStragglersNot() throws {
    var limit = limit()
    var pauses: [Seconds] = []
    for round in 0..<6 {
      let sentAt = 100 * Double(round)
      let until = try limit.refuse(nil, wait: nil, .refusal(sentAt: sentAt, isProbe: true)).until()
      pauses.append((until - sentAt - 0.1).rounded())
      #expect(limit.refuse(nil, wait: nil, .refusal(sentAt: sentAt)) == .ignored)
    }
    #expect(pauses == [2, 4, 8, 15, 15, 15])
    let told = try limit.refuse(nil, wait: 40, .refusal(sentAt: 900)).until()
    #expect(abs(told - 940.1) < 0.001)
    _ = limit.succeeded(.to(sentAt: 950))
    let afterwards = try limit.refuse(nil, wait: nil, .refusal(sentAt: 960)).until()
    #expect(abs(afterwards - 962.1) < 0.001)
  }

  /// A gateway's refusals are taken for the limit's, and then nothing mentions it any more: requests that pass show that
  /// there is room.
  @Test func afterRefusalsThatAreOverItIsSoonFastAgain() throws {
    var limit = limit(30)
    for number in 1...6 { _ = limit.refuse(nil, wait: nil, .refusal(UInt64(number), sentAt: Double(number) * 20)) }
    var now = 200.0
    var waits: [Seconds] = []
    for number in 10...40 {
      let asked = now
      while let next = limit.turn(.at(now)).instant { now = next }
      waits.append(now - asked)
      limit.observeSilence(.to(UInt64(number), sentAt: now))
      now += 0.1
    }
    // Of 30 in a minute, the even rate is one in 2 s.
    #expect(waits[2] > 20 && (waits.last ?? 60) < 3, "\(waits)")
  }

  @Test func theEstimateKnowsWhenTheLastSlotComesFree() throws {
    let log = (0..<10).map { 50 + Double($0) }
    let supply = try #require(limit().supply(.at(70, backlog: 4, log: log)))
    #expect(supply.now == 0)
    #expect(supply.wait == 43)
    #expect(limit().resetsIn(.at(70, log: log)) == 40)
  }

  @Test(arguments: [2, 10, 1_000])
  func noWaitIsLongerThanAPeriod(count: Int) {
    var limit = limit(count)
    // Refused again and again where the log has room.
    for round in 0..<8 { _ = limit.refuse(nil, wait: nil, .refusal(sentAt: 100 * Double(round), isProbe: true)) }
    _ = limit.observe(.told(0, of: count), .to(20, sentAt: 1_000, log: [1_000.1]))
    for now in [1_000.2, 1_030, 1_061] {
      let turn = limit.turn(.at(now, log: [1_000.1]))
      #expect(turn == .go || turn.instant ?? .infinity <= 1_060.2, "\(turn) at \(now)")
    }
    #expect(limit.turn(.at(1_061, log: [1_000.1])) == .go)
  }

  // MARK: Where replies show what is left and nothing else

  /// 100 in 60 s; a tenth is left to others.
  private func shown(_ remaining: Int, reserve: PacerSettings.Reserve = .automatic) -> SlidingLimit {
    SlidingLimit(
      allowance: Allowance(count: 100, period: 60), remaining: remaining, isLearned: true, isShown: true,
      reserve: reserve, now: 0)
  }

  @Test func aTenthIsLeftToOthersThatCannotBeSeenAndTheRestIsSpread() throws {
    let next = try #require(shown(100).turn(.at(1, lastSentAt: 1)).instant)
    #expect(abs(next - 1.5) < 0.001)
    #expect(shown(11).turn(.at(2, lastSentAt: 1)) == .go)
    #expect(shown(10).turn(.at(2, lastSentAt: 1, log: Array(repeating: 1, count: 90))) != .go)
    #expect(shown(100).reserved(.at(1)) == 10)
    // What is sent late in the last period but one comes back late in the last.
    let soon = try #require(shown(100).turn(.at(1, backlog: 180, lastSentAt: 1)).instant)
    #expect(abs(soon - 1.2) < 0.001)
    // The last keys go at once, and so does everything where the operator leaves nothing.
    #expect(shown(100).turn(.at(1, backlog: 90, lastSentAt: 1)) == .go)
    #expect(shown(100, reserve: .share(0)).turn(.at(1, lastSentAt: 1)) == .go)
  }

  @Test func whereNobodyElseIsSeenNothingIsLeft() {
    var limit = shown(100)
    for (sequence, at) in stride(from: 2.0, through: 122, by: 2).enumerated() {
      let log = Array(stride(from: 2, through: at, by: 2))
      let left = 100 - log.count { $0 > at - 60 }
      if at < 120 { #expect(limit.reserved(.at(at, log: log)) == 10) }
      _ = limit.observe(.told(left, of: 100, in: nil), .to(UInt64(sequence), sentAt: at - 0.1, log: log))
    }
    #expect(limit.reserved(.at(123)) == 0)
    // It is still spread: others that come will be seen.
    #expect(limit.turn(.at(123, lastSentAt: 123)) != .go)
    _ = limit.observe(.told(60, of: 100, in: nil), .to(100, sentAt: 123.9, log: [124]))
    #expect(limit.reserved(.at(125)) == 10)
  }

  @Test func whatOthersTakeIsSeenAtOnceAndNothingMoreExpectedBeforeOursIsBack() {
    var limit = shown(60)
    _ = limit.observe(.told(12, of: 100, in: nil), .to(sentAt: 10, log: [5, 10.1]))
    #expect(limit.turn(.at(12, log: [5, 10.1])) == .go)
    _ = limit.observe(.told(10, of: 100, in: nil), .to(sentAt: 12, log: [5, 10.1, 12.1]))
    #expect(limit.turn(.at(64, log: [5, 10.1, 12.1])) != .go)
    #expect(limit.turn(.at(65.1, log: [5, 10.1, 12.1])) == .go)
  }
}
