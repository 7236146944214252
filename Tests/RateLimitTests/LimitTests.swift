// Which model of a limit follows which, as the table in Limit.swift says; and which limit a reply is of.

import Testing

@testable import RateLimit

@Suite struct LimitTests {
  private let minute = Allowance(count: 100, period: 60)

  private func told(
    _ remaining: Int = 99, in period: Seconds = 60, reset: Seconds? = 50, reserve: PacerSettings.Reserve = .automatic
  ) -> Limit {
    Limit(
      number: 1, reading: .told(remaining, of: 100, in: period, reset: reset),
      count: 100, period: period, learned: nil,
      settings: PacerSettings(workers: 4, reserve: reserve), .to(sentAt: 0))
  }

  private func untold(assume: Allowance? = nil, learned: Allowance? = nil) -> Limit {
    Limit(
      settings: PacerSettings(workers: 4, assume: assume),
      learned: learned.map { .init(name: nil, allowance: $0) }, now: 0)
  }

  /// A reply each second whose count falls by two and whose Reset is `reset` of what is missing.
  private func observe(_ limit: inout Limit, for seconds: Int, reset: (Int) -> Seconds) {
    for second in 1...seconds {
      let remaining = 90 - 2 * second
      limit.observe(
        .told(remaining, of: 100, in: 60, reset: reset(100 - remaining)),
        .to(UInt64(second + 1), sentAt: Double(second)))
    }
  }

  // MARK: Told by headers

  @Test func aFirstReplyShowsAWindowUnlessItIsTooShortToBeSeen() {
    #expect(told().model is WindowLimit)
    #expect(told(in: 1.5).model is WindowLimit)
    #expect(told(in: 1).model is RefillLimit)
  }

  @Test func aWindowWhoseEndMovesWithEveryRequestIsASlidingCount() {
    var limit = told()
    for second in 1...20 where limit.model is WindowLimit {
      limit.observe(.told(90, of: 100, in: 60, reset: 20), .to(UInt64(second + 1), sentAt: Double(second)))
    }
    #expect(limit.model is SlidingLimit)
    #expect(limit.model.granted == minute)
  }

  @Test func aResetThatRisesAsTheCountFallsIsARefill() {
    var limit = told()
    observe(&limit, for: 30) { missing in (Double(missing) * 0.6).rounded(.up) }
    #expect(limit.model is RefillLimit)
  }

  @Test func fiveRefusalsOfARefillShowASlidingCountForGood() {
    var limit = told()
    observe(&limit, for: 30) { missing in (Double(missing) * 0.6).rounded(.up) }
    for round in 0..<5 {
      #expect(limit.model is RefillLimit)
      _ = limit.refuse(nil, wait: nil, .refusal(sentAt: 70 + Double(round)))
    }
    #expect(limit.model is SlidingLimit)
    observe(&limit, for: 30) { missing in (Double(missing) * 0.6).rounded(.up) }
    #expect(limit.model is SlidingLimit)
  }

  @Test func aVeryShortPeriodStaysARefill() {
    var limit = told(in: 1)
    for round in 0..<20 { _ = limit.refuse(nil, wait: nil, .refusal(sentAt: 5 + Double(round) / 100)) }
    #expect(limit.model is RefillLimit)
  }

  @Test func oneResetAmongRepliesWithoutIsNotBelieved() {
    var limit = Limit(
      number: 1, reading: .told(99, of: 100, in: nil), count: 100, period: nil, learned: nil,
      settings: PacerSettings(workers: 4), .to(sentAt: 0))
    for (second, reset) in [(1, nil), (2, 86_400), (3, nil), (4, 9)] as [(Int, Seconds?)] {
      limit.observe(
        .told(99 - second, of: 100, in: nil, reset: reset), .to(UInt64(second + 1), sentAt: Double(second)))
      #expect(limit.model is UntimedLimit)
    }
    limit.observe(.told(94, of: 100, in: nil, reset: 8), .to(6, sentAt: 5))
    #expect(limit.model is WindowLimit)
  }

  private var periodless: Limit {
    Limit(
      number: 1, reading: .told(99, of: 100, in: nil, reset: 8), count: 100, period: 10,
      learned: nil, settings: PacerSettings(workers: 4), .to(sentAt: 0))
  }

  @Test func aPeriodThatNoReplyNamesGrowsWithTheLongestReset() {
    var limit = periodless
    limit.observe(.told(99, of: 100, in: nil, reset: 19), .to(2, sentAt: 9))
    #expect(limit.model.granted?.period == 10)
    limit.observe(.told(98, of: 100, in: nil, reset: 18), .to(3, sentAt: 10))
    #expect(limit.model.granted?.period == 20)
    limit.observe(.told(97, of: 100, in: nil, reset: 10), .to(4, sentAt: 18))
    #expect(limit.model.granted?.period == 20)
  }

  /// A proxy's hiccup.
  @Test(arguments: [86_400, 3_000, 61] as [Seconds]) func oneOddResetChangesNothing(reset: Seconds) {
    var limit = periodless
    for (index, told) in [7, reset, 6, 5, reset, 15, 4].enumerated() {
      limit.observe(.told(98 - index, of: 100, in: nil, reset: told), .to(UInt64(index + 2), sentAt: Double(index)))
      #expect(limit.model.granted?.period == 10)
    }
  }

  @Test func noWaitIsLongerThanTwoPeriods() {
    #expect(told().longestWait == 120)
    #expect(told(in: 5).longestWait == 60)
    #expect(untold(assume: minute).longestWait == .infinity)
    #expect(untold().longestWait == 3_600)
  }

  @Test func aReadingIsOfTheLimitWithItsPeriod() {
    #expect(told().fits(.told(5, in: 60)))
    #expect(told().fits(.told(5, in: nil)))
    #expect(!told().fits(.told(5, in: 3_600)))
    #expect(!untold(learned: minute).fits(.told(5, in: 60)))
  }

  // MARK: Told by nobody

  @Test func whatIsAssumedOrRememberedIsCountedAndTheRestIsSearchedFor() {
    #expect(untold().model is SearchedLimit)
    #expect(untold(learned: minute).model.source == .learned)
    #expect(untold(learned: Allowance(count: 100, period: 86_400)).model is SearchedLimit)
    #expect(untold(assume: Allowance(count: 5, period: 1), learned: minute).model.source == .assumed)
  }

  @Test func quotaThatComesBackAtOnceIsPaced() {
    var limit = untold()
    for start in [10.0, 20] {
      _ = limit.refuse(nil, wait: nil, .refusal(sentAt: start))
      limit.succeeded(.to(sentAt: start + 1, isProbe: true))
    }
    #expect(limit.model is PacedLimit)
    // Until it does not come back.
    for round in 0..<5 {
      _ = limit.refuse(nil, wait: nil, .refusal(sentAt: 30 + 20 * Double(round), isProbe: round > 0))
    }
    #expect(limit.model is SearchedLimit)
  }

  @Test func aLimitThatWasFoundIsCountedUntilARefusalDisprovesIt() {
    var limit = untold()
    for start in [10.0, 70] {
      _ = limit.refuse(nil, wait: nil, .refusal(sentAt: start))
      limit.succeeded(.to(sentAt: start + 20, isProbe: true))
    }
    #expect(limit.model.source == .learned)
    #expect(limit.model.granted?.period == 60)
    let refusal = limit.refuse(nil, wait: nil, .refusal(sentAt: 400, isProbe: true))
    #expect(limit.model is SearchedLimit)
    // The search has taken the refusal in.
    #expect(refusal.instant != nil)
  }

  @Test(arguments: [Allowance?.none, Allowance(count: 5, period: 1)])
  func aLimitThatARefusalNamesIsCounted(learned: Allowance?) throws {
    var limit = untold(learned: learned)
    let reading = RateLimitReading(stated: minute)
    _ = try limit.refuse(reading, wait: nil, .refusal(sentAt: 10)).until()
    #expect(limit.model.source == .body)
    #expect(limit.model.granted == minute)
  }

  @Test func aReloadChangesWhatIsAssumedAndNothingElse() {
    var limit = untold()
    limit.apply(PacerSettings(workers: 8, assume: minute), now: 10)
    #expect(limit.model.granted == minute)
    _ = limit.refuse(RateLimitReading(stated: Allowance(count: 7, period: 10)), wait: nil, .refusal(sentAt: 20))
    limit.apply(PacerSettings(workers: 9, assume: minute), now: 30)
    #expect(limit.model.source == .body)
    limit.apply(PacerSettings(workers: 9), now: 40)
    #expect(limit.model.source == .body)
    limit.apply(PacerSettings(workers: 9, assume: minute), now: 50)
    limit.apply(PacerSettings(workers: 9), now: 60)
    #expect(limit.model is SearchedLimit)
  }
}

@Suite struct LimitsTests {
  private func limits(learned: LearnedLimits? = nil) -> Limits {
    Limits(settings: PacerSettings(workers: 4), learned: learned, now: 0)
  }

  /// The limit that a reading counts, and whether it was made for it.
  private func find(_ reading: RateLimitReading, in limits: inout Limits, at sentAt: Seconds) -> Found? {
    limits.index(of: reading, .to(sentAt: sentAt)).map { Found(index: $0.index, isNew: $0.isNew) }
  }

  private struct Found: Equatable {
    var index: Int
    var isNew = false
  }

  @Test func thereIsAlwaysOneAndTheFirstThatIsToldTakesItsPlace() {
    var limits = limits()
    #expect(limits.untold == 0)
    let none = find(.told(nil, reset: 5), in: &limits, at: 1)
    #expect(none == nil)
    #expect(limits.untold == 0)
    let first = find(.told(99), in: &limits, at: 2)
    #expect(first == Found(index: 0, isNew: true))
    #expect(limits.untold == nil)
    #expect(limits.count == 1)
    let second = find(.told(98), in: &limits, at: 3)
    #expect(second == Found(index: 0))
  }

  @Test func aCountOnARefusalTellsOfALimitOnlyWithATime() {
    var limits = limits()
    let untimed = limits.index(of: .told(0, of: 100, in: nil), .refusal(sentAt: 1))
    #expect(untimed == nil)
    let timed = limits.index(of: .told(0, of: 100, in: nil, reset: 5), .refusal(sentAt: 2))
    #expect(timed?.isNew == true)
  }

  /// Nothing of it is obeyed any more, and the next such count must come eight times in a row.
  @Test func aCountThatRepliesDoNotRepeatIsGivenUp() {
    var limits = limits()
    let count = RateLimitReading.told(99, of: 100, in: nil)
    func tell(_ reading: RateLimitReading?, _ sequence: Int) {
      let reply = ReceivedReply.to(UInt64(sequence), sentAt: Double(sequence))
      limits.note(reading, reply)
      if let reading { _ = limits.index(of: reading, reply) }
    }
    tell(count, 1)
    for sequence in 2...6 { tell(nil, sequence) }
    #expect(limits.untold == nil)
    tell(nil, 7)
    #expect(limits.untold == 0)
    for sequence in 8...14 { tell(count, sequence) }
    #expect(limits.untold == 0)
    tell(count, 15)
    #expect(limits.untold == nil)
  }

  @Test func aNamelessLimitMayTurnOutToHaveAName() {
    var limits = limits()
    _ = limits.index(of: .told(99), .to(sentAt: 1))
    let named = find(.told(98, name: "keys"), in: &limits, at: 2)
    #expect(named == Found(index: 0))
    #expect(limits[0].name == "keys")
    // Replies without it are of the only one there is.
    let nameless = find(.told(97), in: &limits, at: 3)
    #expect(nameless == Found(index: 0))
    let other = find(.told(9, name: "users"), in: &limits, at: 4)
    #expect(other == Found(index: 1, isNew: true))
    #expect(limits[0].number != limits[1].number)
  }

  @Test func partsThatAFirstReplyLeavesOutAreRememberedOrGuessed() {
    let known = LearnedLimits(limits: [.init(name: "keys", allowance: Allowance(count: 400, period: 3_600))])
    var limits = limits(learned: known)
    _ = limits.index(of: .told(99, of: nil, in: nil, reset: 50, name: "keys"), .to(sentAt: 1))
    #expect(limits[0].model.granted == Allowance(count: 400, period: 3_600))
    _ = limits.index(of: .told(99, of: nil, in: nil, reset: 59, name: "users"), .to(sentAt: 2))
    #expect(limits[1].model.granted == Allowance(count: 100, period: 60))
    // Nothing is left and nothing says of how much.
    let none = find(.told(0, of: nil, in: nil, name: "others"), in: &limits, at: 3)
    #expect(none == nil)
  }

  @Test func theTightestIsTheOneWithTheLeastLeft() {
    var limits = limits()
    _ = limits.index(of: .told(99, reset: 50, name: "a"), .to(sentAt: 1))
    _ = limits.index(of: .told(7, reset: 50, name: "b"), .to(sentAt: 1))
    #expect(limits.tightest(.at(2)).name == "b")
    #expect(limits.longestPeriod == 60)
    #expect(limits.index(granting: Allowance(count: 600, period: 60)) == 0)
    #expect(limits.index(granting: nil) == nil)
  }

  @Test func aLimitThatIsNotToldOfAnyMoreIsForgotten() {
    var limits = limits()
    _ = limits.index(of: .told(400, in: 3_600, reset: 3_000, name: "a"), .to(sentAt: 0))
    _ = limits.index(of: .told(7, in: 3_600, reset: 3_000, name: "b"), .to(sentAt: 0))
    _ = limits.index(of: .told(99, reset: 50, name: "c"), .to(sentAt: 100))
    #expect(limits.count == 3)
    // What holds nothing back goes after two minutes, what is nearly used up after two periods.
    _ = limits.index(of: .told(99, reset: 50, name: "c"), .to(sentAt: 130))
    #expect(limits.map(\.name) == ["b", "c"])
    _ = limits.index(of: .told(99, reset: 50, name: "c"), .to(sentAt: 7_000))
    #expect(limits.map(\.name) == ["b", "c"])
    _ = limits.index(of: .told(99, reset: 50, name: "c"), .to(sentAt: 7_300))
    #expect(limits.map(\.name) == ["c"])
  }
}
