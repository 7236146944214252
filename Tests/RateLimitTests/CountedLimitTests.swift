// A limit that only we count: assumed, remembered, named by a refusal, or found by search.

import Testing

@testable import RateLimit

@Suite struct CountedLimitTests {
  /// 10 in 60 s, from 0 on.
  private func limit(
    _ source: LimitStanding.Source = .learned, count: Int = 10, period: Seconds = 60, edge: Seconds? = nil,
    reserve: PacerSettings.Reserve = .share(0)
  ) -> CountedLimit {
    CountedLimit(
      allowance: Allowance(count: count, period: period), source: source, edge: edge, reserve: reserve, now: 0)
  }

  private func log(_ count: Int, from first: Seconds) -> [Seconds] { (0..<count).map { first + Double($0) } }

  // MARK: Before a request

  @Test func isUsedThreeTimesFasterThanEven() throws {
    let next = try #require(limit().turn(.at(100, lastSentAt: 99, log: log(2, from: 98))).instant)
    #expect(abs(next - 101) < 0.001)
    #expect(limit().turn(.at(101.1, lastSentAt: 99, log: log(2, from: 98))) == .go)
    // The rest goes at once.
    #expect(limit().turn(.at(100, backlog: 8, lastSentAt: 99.9, log: log(2, from: 98))) == .go)
  }

  @Test func aFullPeriodIsWaitedForUntilItsOldestRequestLeavesIt() throws {
    let full = log(10, from: 90)
    let next = try #require(limit(.assumed).turn(.at(100, log: full)).instant)
    #expect((150.05...150.06).contains(next))
    #expect(limit(.assumed).turn(.at(next, log: full)) == .go)
    #expect(limit(.assumed).available(.at(100, inFlight: 3, log: log(5, from: 90))) == 2)
  }

  @Test func whereWindowsAreKnownAllOfItIsBackAtTheEdge() throws {
    let next = try #require(limit(.assumed, edge: 60).turn(.at(100, log: log(10, from: 90))).instant)
    #expect((120.1...120.11).contains(next))
    #expect(limit(.assumed, edge: 60).available(.at(121, log: log(10, from: 90))) == 10)
  }

  @Test func whatTheOperatorAssumesIsNeverExceeded() {
    var limit = limit(.assumed)
    for second in 0..<1_000 { _ = limit.succeeded(.to(sentAt: Double(second))) }
    #expect(limit.turn(.at(1_000, log: log(10, from: 980))) != .go)
    #expect(limit.granted?.count == 10)
    #expect(limit.learned(name: nil) == nil)
  }

  @Test func theOperatorsShareIsKept() {
    let limit = limit(reserve: .share(0.3))
    #expect(limit.turn(.at(100, log: log(7, from: 90))) != .go)
    #expect(limit.reserved(.at(100, log: log(7, from: 90))) == 3)
    #expect(limit.supply(.at(100, log: log(7, from: 90)))?.now == 0)
  }

  /// Neither they nor the limit can be seen: what we take early, they miss late.
  @Test func aTenthOfALimitThatWasLearnedIsLeftToOthersThatCannotBeSeen() throws {
    let shared = limit(count: 100, reserve: .automatic)
    let next = try #require(shared.turn(.at(100, lastSentAt: 100, log: log(50, from: 50))).instant)
    #expect(abs(next - 100.5) < 0.001)
    // What is sent late in the last period but one comes back late in the last.
    let soon = try #require(shared.turn(.at(100, backlog: 130, lastSentAt: 100, log: log(50, from: 50))).instant)
    #expect(abs(soon - 100.2) < 0.001)
    #expect(shared.reserved(.at(100, log: log(50, from: 50))) == 10)
    #expect(shared.turn(.at(100, log: log(90, from: 41).map { min($0, 99) })) != .go)
    #expect(limit(.body, count: 100, reserve: .automatic).reserved(.at(100)) == 0)
    #expect(limit(count: 9, reserve: .automatic).reserved(.at(100)) == 0)
  }

  /// A limit that was raised is found all the same.
  @Test func everyFourPeriodsWhatIsLeftToOthersIsTriedToo() {
    var limit = limit(count: 100, reserve: .automatic)
    let used = { (count: Int, first: Double) in (0..<count).map { _ in first } }
    #expect(limit.turn(.at(239, log: used(90, 230))) != .go)
    #expect(limit.turn(.at(241, log: used(90, 230))) == .go)
    #expect(limit.turn(.at(241, log: used(100, 230))) == .go)
    _ = limit.refuse(nil, wait: nil, .refusal(sentAt: 241, log: used(100, 230)))
    _ = limit.refuse(nil, wait: nil, .refusal(sentAt: 242, log: used(100, 230)))
    #expect(limit.turn(.at(400, log: used(90, 390))) != .go)
    #expect(limit.turn(.at(483, log: used(90, 480))) == .go)
  }

  @Test func aLimitThatWasFoundHasToStandForAPeriod() {
    #expect(limit(.learned).ceiling(now: 59) == 8)
    #expect(limit(.learned).ceiling(now: 61) == nil)
    #expect(limit(.body).ceiling(now: 1) == nil)
  }

  // MARK: Growing

  @Test func oneMoreIsTriedNowAndThenAndCountsWhenItPasses() {
    var limit = limit()
    #expect(limit.turn(.at(100, log: log(10, from: 89))) == .go)
    _ = limit.succeeded(.to(sentAt: 100, log: log(11, from: 89)))
    #expect(limit.granted?.count == 11)
    #expect(limit.turn(.at(101, inFlight: 1, log: log(11, from: 89))) != .go)
    for more in 12...13 { _ = limit.succeeded(.to(sentAt: 100, log: log(more, from: 89))) }
    // Two at a time after three.
    #expect(limit.turn(.at(102, inFlight: 1, log: log(13, from: 89))) == .go)
  }

  /// It might be counted in a window that begins meanwhile.
  @Test func nothingIsTriedShortlyBeforeTheOldestRequestLeavesThePeriod() {
    #expect(limit().turn(.at(134, log: log(10, from: 90))) == .go)
    #expect(limit().turn(.at(136, log: log(10, from: 90))) != .go)
  }

  /// One in two periods would be a tenth of five in ten seconds.
  @Test func ofASmallLimitMoreIsTriedSeldom() {
    var limit = limit(count: 5)
    for round in 0..<8 { _ = limit.refuse(nil, wait: nil, .refusal(sentAt: Double(round), log: log(5, from: 0))) }
    #expect(limit.turn(.at(2_300, log: log(5, from: 2_290))) != .go)
    #expect(limit.turn(.at(2_500, log: log(5, from: 2_490))) == .go)
  }

  /// After a gateway had refused half of the requests for hours, one request in twelve minutes was believed for a day.
  @Test(arguments: [(702.0, true), (900, false)])
  func aLongPeriodThatNoLimitHasIsTriedSoon(period: Seconds, isSoon: Bool) {
    var limit = limit(count: 1, period: period)
    for round in 0..<8 { _ = limit.refuse(nil, wait: nil, .refusal(sentAt: Double(round), log: log(1, from: 0))) }
    let later = 2 * period + 20
    #expect((limit.turn(.at(later, log: log(1, from: later - 10))) == .go) == isSoon)
  }

  @Test func aRefusalThatWasRiskedStopsNobodyAndCostsCredit() {
    var limit = limit()
    #expect(limit.refuse(nil, wait: nil, .refusal(sentAt: 100, log: log(10, from: 89))) == .ignored)
    #expect(limit.granted?.count == 10)
    #expect(limit.turn(.at(101, log: log(10, from: 90))) != .go)
    // Two hundred successes earn the next, and two periods do.
    var thrifty = limit
    for _ in 0..<201 { _ = thrifty.succeeded(.to(sentAt: 101)) }
    #expect(thrifty.turn(.at(102, log: log(10, from: 91))) == .go)
    #expect(limit.turn(.at(221, log: log(10, from: 210))) == .go)
  }

  // MARK: Refusals

  @Test func anEarlyRefusalCutsItToWhatPassed() throws {
    var limit = limit()
    let until = try limit.refuse(nil, wait: nil, .refusal(sentAt: 100, log: log(4, from: 90))).until()
    #expect(limit.granted?.count == 4)
    #expect((150...150.2).contains(until))
    // What was sent before this run is in nobody's log: a first period proves nothing.
    var young = self.limit()
    _ = young.refuse(nil, wait: nil, .refusal(sentAt: 30, log: log(4, from: 20)))
    #expect(young.granted?.count == 10)
  }

  /// Others have used it, or its windows begin elsewhere.
  @Test func aRefusalThatNamesTheLimitDoesNotCutIt() throws {
    var limit = limit(.body)
    let stated = RateLimitReading(stated: Allowance(count: 10, period: 60))
    let until = try limit.refuse(stated, wait: 9, .refusal(sentAt: 100, log: log(4, from: 90))).until()
    #expect(abs(until - 109.15) < 0.001)
    #expect(limit.granted?.count == 10)
  }

  @Test func aRetryAfterIsObeyed() throws {
    var limit = limit()
    let until = try limit.refuse(nil, wait: 9, .refusal(sentAt: 100, log: log(4, from: 90))).until()
    #expect(abs(until - 109.15) < 0.001)
  }

  @Test func aRefusalWhileNothingOfOursStandsInItDisprovesWhatWasFound() throws {
    var found = limit(.learned)
    #expect(found.refuse(nil, wait: nil, .refusal(sentAt: 200, isProbe: true)) == .disproved(.searched))
    // What was named or assumed is believed all the same, and so is what was just found.
    var named = limit(.body)
    _ = try named.refuse(nil, wait: nil, .refusal(sentAt: 200, isProbe: true)).until()
    var young = limit(.learned)
    _ = try young.refuse(nil, wait: nil, .refusal(sentAt: 70, isProbe: true)).until()
  }

  @Test func aRetryAfterThatIsLongerThanThePeriodDisprovesItToo() throws {
    var found = limit(.learned)
    #expect(found.refuse(nil, wait: 80, .refusal(sentAt: 30, log: log(2, from: 20))) == .disproved(.searched))
    var named = limit(.body)
    _ = try named.refuse(nil, wait: 80, .refusal(sentAt: 30, log: log(2, from: 20))).until()
  }

  @Test func refusedProbesAtAnEdgeAreLaterAndTheThirdGivesTheEdgeUp() throws {
    var limit = limit(.body, edge: 60)
    var asked = 120.2
    for round in 1...2 {
      let until = try limit.refuse(nil, wait: nil, .refusal(sentAt: asked, isProbe: true)).until()
      // A quarter of a second later each time.
      #expect(abs(until - (120.1 + 0.25 * Double(round))) < 0.01)
      asked = until
    }
    let until = try limit.refuse(nil, wait: nil, .refusal(sentAt: asked, isProbe: true)).until()
    #expect(abs(until - asked - 8.1) < 0.01)
  }

  @Test func inAWindowThatWasRefusedTooEarlyTheProbeTellsWhetherThereAreWindows() throws {
    // Refused early in a window, with nearly as much in the last period as is granted.
    let used = log(10, from: 112)
    let early = ReceivedReply.refusal(sentAt: 122, log: used)
    var cut = limit(.body, edge: 60)
    _ = try cut.refuse(nil, wait: nil, early).until()
    #expect(cut.granted?.count == 10)
    var rolling = cut
    _ = rolling.succeeded(.to(sentAt: 173, isProbe: true, log: used))
    // There are none: it is counted over the last period.
    #expect(rolling.available(.at(181, log: log(10, from: 170))) == 0)
    _ = cut.refuse(nil, wait: nil, .refusal(sentAt: 173, isProbe: true, log: used))
    #expect(cut.granted?.count == 1)
  }

  @Test func aLimitThatARefusalNamesBeginsAtTheMultiplesOfItsPeriod() {
    let refusal = ReceivedReply.refusal(sentAt: 130, clock: .ours)
    let named = CountedLimit(stated: Allowance(count: 10, period: 60), reserve: .automatic, refusal)
    #expect(named.source == .body)
    #expect(abs(named.opens(wait: nil, refusal) - 180.1) < 0.01)
    #expect(abs(named.opens(wait: 5, refusal) - 135.15) < 0.01)
    let blind = ReceivedReply.refusal(sentAt: 130)
    let alone = CountedLimit(stated: Allowance(count: 10, period: 60), reserve: .automatic, blind)
    #expect(abs(alone.opens(wait: nil, blind) - 131.1) < 0.01)
  }
}
