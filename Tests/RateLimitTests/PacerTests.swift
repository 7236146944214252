// The pacer's rules one by one, with replies written by hand.

import Foundation
import RateLimit
import Testing

@Suite struct PacerTests {
  private func pacer(
    workers: Int = 16, reserve: PacerSettings.Reserve = .automatic, assume: Allowance? = nil,
    learned: LearnedLimits? = nil, sent: [Seconds] = []
  ) -> Pacer {
    Pacer(
      settings: PacerSettings(workers: workers, reserve: reserve, assume: assume), learned: learned, sent: sent,
      seed: 1, now: 0)
  }

  private func answered(
    _ remaining: Int, reset: Seconds, limit: Int = 100, period: Seconds = 60, date: Seconds? = nil, name: String? = nil
  ) -> PacedReply {
    PacedReply(
      kind: .answered,
      reading: RateLimitReading(
        name: name, limit: limit, period: period, remaining: remaining, reset: reset, date: date))
  }

  @Test func theFirstRequestGoesAlone() {
    var pacer = pacer()
    #expect(pacer.next(now: 0, backlog: 10) == .send)
    let permit = pacer.send(now: 0)
    #expect(pacer.next(now: 0, backlog: 9) == .awaitReply)
    #expect(pacer.standing(now: 0, backlog: 9).opensAt == 0)
    pacer.receive(answered(99, reset: 50), for: permit, now: 0.1)
    #expect(pacer.next(now: 0.1, backlog: 9) == .send)
  }

  @Test func aRequestThatWasNeverSentAsksAgain() {
    var pacer = pacer()
    let permit = pacer.send(now: 0)
    pacer.receive(PacedReply(kind: .unsent), for: permit, now: 0.5)
    #expect(pacer.next(now: 1, backlog: 9) == .send)
    let second = pacer.send(now: 1)
    #expect(pacer.next(now: 1, backlog: 9) == .awaitReply)
    pacer.receive(answered(99, reset: 50), for: permit, now: 2)  // A permit ends once.
    #expect(pacer.next(now: 2, backlog: 9) == .awaitReply)
    pacer.receive(answered(99, reset: 50), for: second, now: 2)
    #expect(pacer.next(now: 2, backlog: 9) == .send)
  }

  @Test func aRefusalClosesTheGateForAllAndOneAsks() throws {
    var pacer = pacer()
    pacer.receive(answered(5, reset: 30), for: pacer.send(now: 0), now: 0.1)
    let refusal = PacedReply(
      kind: .throttled, reading: RateLimitReading(limit: 100, period: 60, remaining: 0, reset: 29))
    let (first, second) = (pacer.send(now: 1), pacer.send(now: 1))
    pacer.receive(refusal, for: first, now: 1.1)
    pacer.receive(refusal, for: second, now: 1.2)
    let opens = try #require(pacer.standing(now: 1.2, backlog: 5).opensAt)
    #expect((29...33).contains(opens))
    #expect(pacer.next(now: 2, backlog: 5) == .wait(until: opens))
    #expect(pacer.next(now: opens, backlog: 5) == .send)
    let probe = pacer.send(now: opens)
    #expect(pacer.next(now: opens, backlog: 4) == .awaitReply)
    pacer.receive(answered(99, reset: 59), for: probe, now: opens + 0.1)
    #expect(pacer.next(now: opens + 3, backlog: 4) == .send)
  }

  @Test func aLateRefusalOfThePastWindowStopsNobody() {
    var pacer = pacer()
    pacer.receive(answered(50, reset: 2), for: pacer.send(now: 0), now: 0.1)
    let straggler = pacer.send(now: 0.2)
    pacer.receive(answered(99, reset: 59), for: pacer.send(now: 4), now: 4.1)
    pacer.receive(
      PacedReply(kind: .throttled, reading: RateLimitReading(limit: 100, period: 60, remaining: 0, reset: 2)),
      for: straggler, now: 4.2)
    #expect(pacer.next(now: 5, backlog: 1) == .send)
  }

  @Test func noWaitIsLongerThanTwoWindows() throws {
    var pacer = pacer()
    pacer.receive(answered(50, reset: 30), for: pacer.send(now: 0), now: 0.1)
    let permit = pacer.send(now: 1)
    pacer.receive(
      PacedReply(
        kind: .throttled,
        reading: RateLimitReading(limit: 100, period: 60, remaining: 0, reset: 29, retryAfter: 86_400)),
      for: permit, now: 1)
    let opens = try #require(pacer.standing(now: 1, backlog: 5).opensAt)
    #expect(opens <= 1 + 120)
  }

  @Test func aRefusalWithoutAWordIsAShortPause() throws {
    var pacer = pacer()
    pacer.receive(answered(90, reset: 50), for: pacer.send(now: 0), now: 0.1)
    let permit = pacer.send(now: 1)
    pacer.receive(PacedReply(kind: .throttled), for: permit, now: 1.1)
    let opens = try #require(pacer.standing(now: 1.1, backlog: 5).opensAt)
    #expect((1.1..<2).contains(opens))
    #expect(pacer.next(now: 1.1, backlog: 5) == .wait(until: opens))
    // They go on where they were, without asking first.
    #expect(pacer.next(now: opens + 1, backlog: 5) == .send)
    _ = pacer.send(now: opens + 1)
    #expect(pacer.next(now: opens + 2, backlog: 4) == .send)
  }

  @Test func refusalsOfALimitThatNobodyTellsOfAreAskedAboutEverLater() throws {
    var pacer = pacer(workers: 4)
    pacer.receive(answered(90, reset: 50), for: pacer.send(now: 0), now: 0.1)
    let refusal = PacedReply(kind: .throttled, reading: RateLimitReading(remaining: 50))
    var now = 1.0
    var sent = 0
    // Those under way together are one refusal.
    let together = (0..<4).map { _ in pacer.send(now: now) }
    for permit in together { pacer.receive(refusal, for: permit, now: now + 0.1) }
    #expect(try #require(pacer.standing(now: now + 0.1, backlog: 5).opensAt) <= now + 0.7)
    var gaps: [Seconds] = []
    while now < 600 {
      switch pacer.next(now: now, backlog: 100) {
      case .send:
        sent += 1
        pacer.receive(refusal, for: pacer.send(now: now), now: now + 0.1)
      case .wait(let until):
        gaps.append(until - now)
        now = max(now + 0.001, until)
      case .awaitReply: Issue.record("nothing is under way")
      }
    }
    // 1, 2, 4, 8, 16, and then every half minute.
    #expect((15...30).contains(sent))
    #expect(gaps.suffix(10).allSatisfy { $0 > 25 })
    // A success ends it.
    pacer.receive(answered(80, reset: 50), for: pacer.send(now: now), now: now + 0.1)
    pacer.receive(refusal, for: pacer.send(now: now + 1), now: now + 1.1)
    #expect(try #require(pacer.standing(now: now + 1.1, backlog: 5).opensAt) < now + 2)
  }

  @Test func whatNeverLeftCostsNothingAndSaysNothing() {
    let taken = [40.0, 40, 40, 40]
    var pacer = pacer(
      workers: 4, assume: Allowance(count: 400, period: 3_600),
      learned: LearnedLimits(
        limits: [
          .init(name: nil, allowance: Allowance(count: 100, period: 60), isAligned: true, takenByOthers: taken)
        ]))
    pacer.receive(answered(60, reset: 55, date: 5), for: pacer.send(now: 5), now: 5.1)
    // An hour's outage of a server that is not there, probed every eight seconds.
    for round in 0..<450 {
      let now = 6 + 8 * Double(round)
      pacer.receive(PacedReply(kind: .unsent), for: pacer.send(now: now), now: now)
      #expect(pacer.learned.limits.map(\.takenByOthers) == [taken])
    }
    #expect(pacer.standing(now: 59, backlog: 5).remaining == 60)
    // Nor does it count against a limit that only we count.
    var counting = self.pacer(assume: Allowance(count: 400, period: 3_600))
    for round in 0..<300 {
      let now = 8 * Double(round)
      counting.receive(PacedReply(kind: .unsent), for: counting.send(now: now), now: now)
    }
    #expect(counting.standing(now: 2_400, backlog: 5).remaining == 400)
  }

  @Test(arguments: [1e300, -1e300, 1e19, .infinity, .nan, 1e-300, 0])
  func noNumberThatWasKeptEndsIt(number: Double) {
    let count = number.isNaN ? 0 : Int(exactly: number.rounded()) ?? (number > 0 ? .max : .min)
    var limit = LearnedLimits.Limit(
      name: nil, allowance: Allowance(count: 100, period: 60), isAligned: true,
      takenByOthers: [number, number, number, number], edge: number)
    // What is decoded from a file passes by the initializer.
    limit.allowance.count = count
    limit.allowance.period = number
    var pacer = pacer(learned: LearnedLimits(limits: [limit]))
    var now = 0.0
    for round in 0..<400 {
      guard case .send = pacer.next(now: now, backlog: 1_000) else {
        now += 1
        continue
      }
      let reading = RateLimitReading(limit: 100, period: 60, remaining: 99 - round % 60, reset: 60 - Double(round % 60))
      pacer.receive(PacedReply(kind: .answered, reading: reading), for: pacer.send(now: now), now: now + 0.1)
      #expect((pacer.standing(now: now, backlog: 1_000).etaSeconds ?? 0) >= 0)
      now += 0.9
    }
    #expect(pacer.learned.limits.allSatisfy { $0.takenByOthers.allSatisfy { (0...100).contains($0) } })
  }

  @Test func neverHasMoreUnderWayThanWorkersOrTokens() {
    var pacer = pacer(workers: 4)
    pacer.receive(answered(3, reset: 25, limit: 1_000), for: pacer.send(now: 0), now: 0.1)
    for round in 1...20 {
      pacer.receive(PacedReply(kind: .answered), for: pacer.send(now: Double(round)), now: Double(round) + 0.1)
    }
    // Three were left and twenty have been answered without a count: nothing is left.
    guard case .wait = pacer.next(now: 21, backlog: 100) else {
      Issue.record("sends what is not there")
      return
    }
  }

  @Test func obeysTwoLimitsAtOnce() {
    var pacer = pacer()
    pacer.receive(answered(99, reset: 50, name: "org"), for: pacer.send(now: 0), now: 0.1)
    for _ in 1...2 {
      pacer.receive(answered(0, reset: 500, limit: 10, period: 600, name: "user"), for: pacer.send(now: 1), now: 1.1)
    }
    guard case .wait(let until) = pacer.next(now: 2, backlog: 5) else {
      Issue.record("the second limit is not obeyed")
      return
    }
    #expect(until > 60)
    let standing = pacer.standing(now: 2, backlog: 5)
    #expect(standing.name == "user")
    #expect(standing.limit == 10)
    #expect(pacer.learned.limits.map(\.name) == ["org", "user"])
  }

  @Test func tellsTwoLimitsWithoutNamesApartByTheirPeriods() {
    var pacer = pacer()
    pacer.receive(answered(99, reset: 50), for: pacer.send(now: 0), now: 0.1)
    for _ in 1...2 {
      pacer.receive(answered(0, reset: 500, limit: 400, period: 3_600), for: pacer.send(now: 1), now: 1.1)
    }
    pacer.receive(answered(97, reset: 48), for: pacer.send(now: 2), now: 2.1)
    #expect(pacer.learned.limits.map(\.allowance.period) == [60, 3_600])
    guard case .wait(let until) = pacer.next(now: 3, backlog: 5) else {
      Issue.record("the longer limit is not obeyed")
      return
    }
    #expect(until > 400)
  }

  /// 600 in 60 s become 600 in 20 s, or the other way.
  @Test(arguments: [(60.0, 20.0), (20, 60)])
  func aLimitWhosePeriodChangedIsNotObeyedBesideTheNewOne(old: Seconds, new: Seconds) {
    var pacer = pacer()
    let reply = { (left: Int, period: Seconds) in
      self.answered(left, reset: period - 1, limit: 600, period: period, name: "org")
    }
    for second in 1...5 {
      pacer.receive(reply(600 - second, old), for: pacer.send(now: Double(second)), now: Double(second))
    }
    for second in 6...15 {
      pacer.receive(reply(600 - second, new), for: pacer.send(now: Double(second)), now: Double(second))
    }
    // It may be the other of two limits with one name.
    #expect(pacer.limits.map(\.allowance.period) == [old, new])
    for second in 16...17 {
      pacer.receive(reply(600 - second, new), for: pacer.send(now: Double(second)), now: Double(second))
    }
    #expect(pacer.limits.map(\.allowance.period) == [new])
  }

  @Test func twoLimitsOfOneNameAreBothObeyedWhereRepliesMentionNowOneAndNowTheOther() {
    var pacer = pacer()
    for second in 1...40 {
      let isFirst = second % 9 == 0
      let reply = answered(300, reset: 10, limit: 400, period: isFirst ? 60 : 3_600, name: "org")
      pacer.receive(reply, for: pacer.send(now: Double(second)), now: Double(second))
    }
    #expect(pacer.limits.map(\.allowance.period).sorted() == [60, 3_600])
  }

  @Test func forgetsALimitThatWasReplaced() {
    var pacer = pacer()
    pacer.receive(answered(300, reset: 3_000, limit: 400, period: 3_600), for: pacer.send(now: 0), now: 0.1)
    for second in 1...150 {
      let now = Double(second)
      pacer.receive(answered(90, reset: 50), for: pacer.send(now: now), now: now + 0.1)
    }
    #expect(pacer.learned.limits.map(\.allowance.period) == [60])
  }

  @Test func aNameForEveryReplyDoesNotFillTheMemory() {
    var pacer = pacer()
    for number in 0..<100 {
      let now = Double(number)
      pacer.receive(answered(99, reset: 50, name: "limit-\(number)"), for: pacer.send(now: now), now: now + 0.1)
    }
    #expect(pacer.learned.limits.count <= 8)
  }

  @Test func tellsWhereItStands() throws {
    var pacer = pacer()
    #expect(pacer.standing(now: 0, backlog: 10).source == .none)
    pacer.receive(answered(40, reset: 30, name: "keys"), for: pacer.send(now: 0), now: 0.1)
    _ = pacer.send(now: 0.2)
    let standing = pacer.standing(now: 0.2, backlog: 10)
    #expect(standing.name == "keys")
    #expect(standing.limit == 100)
    #expect(standing.period == 60)
    #expect(standing.remaining == 39)
    #expect(standing.source == .headers)
    #expect(abs(try #require(standing.resetsIn) - 30) < 1)
  }

  @Test func obeysAnAssumedLimitUntilTheApiSaysOtherwise() {
    var pacer = pacer(assume: Allowance(count: 3, period: 60))
    #expect(pacer.standing(now: 0, backlog: 10).source == .assumed)
    for sent in 0..<3 {
      #expect(pacer.next(now: Double(sent), backlog: 3 - sent) == .send)
      pacer.receive(PacedReply(kind: .answered), for: pacer.send(now: Double(sent)), now: Double(sent) + 0.1)
    }
    guard case .wait(let until) = pacer.next(now: 3, backlog: 10) else {
      Issue.record("more than was assumed")
      return
    }
    #expect((60...61).contains(until))
    #expect(pacer.learned == LearnedLimits())
    pacer.receive(answered(500, reset: 50, limit: 600), for: pacer.send(now: until), now: until + 0.1)
    #expect(pacer.standing(now: until + 1, backlog: 10).source == .headers)
    #expect(pacer.next(now: until + 1, backlog: 10) == .send)
  }

  /// 300 of 400 were taken in the first second of the hour: perhaps in one rush, by somebody who is gone.
  @Test func aListThatFitsIsDoneThoughMostWasTakenBefore() {
    var pacer = pacer()
    var (now, sent) = (0.0, 0)
    while sent < 50, now < 600 {
      if case .wait(let until) = pacer.next(now: now, backlog: 50 - sent) {
        now = until
      } else {
        sent += 1
        let permit = pacer.send(now: now)
        now += 0.1
        pacer.receive(answered(100 - sent, reset: 3_599 - now, limit: 400, period: 3_600), for: permit, now: now)
      }
    }
    #expect(sent == 50 && now < 60)
  }

  @Test func leavesTheShareThatTheOperatorSet() {
    var pacer = pacer(reserve: .share(0.3))
    pacer.receive(answered(40, reset: 30), for: pacer.send(now: 0), now: 0.1)
    var remaining = 40
    for step in 0..<52 {
      let now = 1 + Double(step) / 2
      guard pacer.next(now: now, backlog: 50) == .send else { continue }
      remaining -= 1
      pacer.receive(answered(remaining, reset: 30 - now.rounded(.down)), for: pacer.send(now: now), now: now + 0.1)
    }
    let standing = pacer.standing(now: 27, backlog: 5)
    #expect(standing.remaining == 30)
    #expect(standing.reserved == 30)
    guard case .wait = pacer.next(now: 27, backlog: 5) else {
      Issue.record("takes from the reserve")
      return
    }
  }

  @Test func theShareIsOfTheLimitAsItIsNow() {
    var pacer = pacer(reserve: .share(0.5))
    pacer.receive(answered(99, reset: 30), for: pacer.send(now: 0), now: 0.1)
    #expect(pacer.next(now: 2, backlog: 50) == .send)
    // 150 would be more than half of the old limit.
    for _ in 1...2 { pacer.receive(answered(150, reset: 28, limit: 400), for: pacer.send(now: 2), now: 2.1) }
    #expect(pacer.standing(now: 4, backlog: 50).reserved == 150)
    guard case .wait = pacer.next(now: 4, backlog: 50) else {
      Issue.record("takes from the reserve")
      return
    }
  }

  @Test func aReserveNeverStallsALimitOfOne() {
    var pacer = pacer(reserve: .share(0.9))
    pacer.receive(answered(1, reset: 3, limit: 1, period: 5), for: pacer.send(now: 0), now: 0.1)
    pacer.receive(answered(0, reset: 5, limit: 1, period: 5), for: pacer.send(now: 5), now: 5.1)
    #expect(pacer.next(now: 11, backlog: 1) == .send)
  }

  @Test func aReloadTakesEffectWhileRequestsAreUnderWay() {
    var pacer = pacer(workers: 8)
    pacer.receive(answered(90, reset: 30), for: pacer.send(now: 0), now: 0.1)
    let permit = pacer.send(now: 1)
    pacer.apply(PacerSettings(workers: 1), now: 1)
    #expect(pacer.next(now: 1, backlog: 9) == .awaitReply)
    pacer.receive(answered(89, reset: 29), for: permit, now: 1.1)
    #expect(pacer.next(now: 2, backlog: 9) == .send)
  }

  @Test func aReloadForgetsNothingOfALimitThatOnlyWeCount() {
    let learned = LearnedLimits(limits: [.init(name: nil, allowance: Allowance(count: 1_000, period: 60))])
    var pacer = pacer(workers: 16, learned: learned)
    for second in 61..<80 {
      let now = Double(second)
      pacer.receive(PacedReply(kind: .answered), for: pacer.send(now: now), now: now + 0.1)
    }
    // It has stood for a period and is trusted; a reload does not change that.
    pacer.apply(PacerSettings(workers: 16), now: 80)
    pacer.receive(PacedReply(kind: .answered), for: pacer.send(now: 81), now: 81.1)
    var underWay = 0
    while pacer.next(now: 82, backlog: 100) == .send, underWay < 100 {
      _ = pacer.send(now: 82)
      underWay += 1
    }
    #expect(underWay == 16)
  }

  @Test func whatWasLearnedSurvivesARestart() throws {
    var pacer = pacer()
    pacer.receive(answered(70, reset: 30, date: 1_000_000_020 + 10, name: "keys"), for: pacer.send(now: 0), now: 0.1)
    let learned = pacer.learned
    #expect(learned.limits.first?.allowance == Allowance(count: 100, period: 60))
    let read = try JSONDecoder().decode(LearnedLimits.self, from: JSONEncoder().encode(learned))
    #expect(read == learned)
    let restarted = self.pacer(learned: read)
    let standing = restarted.standing(now: 0, backlog: 10)
    #expect(standing.source == .learned)
    #expect(standing.limit == 100 && standing.name == "keys")
    // A run that sends nothing forgets nothing.
    #expect(restarted.learned == learned)
  }

  @Test func aLimitWithALongPeriodIsShownUntilAReplyTellsIt() throws {
    let day = LearnedLimits.Limit(name: "keys", allowance: Allowance(count: 1_000, period: 86_400), edge: -3_600)
    var pacer = pacer(learned: LearnedLimits(limits: [day]), sent: [-7_200, -600, -60])
    let before = pacer.standing(now: 0, backlog: 5)
    #expect(before.source == .learned && before.name == "keys" && before.limit == 1_000 && before.period == 86_400)
    #expect(before.remaining == 998 && before.ours == 2)
    #expect(try #require(before.resetsIn) > 82_799 && before.opensAt == nil)
    // It is not obeyed before the API says so.
    for left in [41, 40] { pacer.receive(answered(left, reset: 60, limit: 50), for: pacer.send(now: 0), now: 0.1) }
    let after = pacer.standing(now: 0.1, backlog: 5)
    #expect(after.source == .headers && after.limit == 50 && after.remaining == 40)
  }

  /// 100 in 60 s; the window began at -30.
  private let halfOver = LearnedLimits(limits: [
    .init(name: nil, allowance: Allowance(count: 100, period: 60), isAligned: true, edge: -30)
  ])

  @Test(arguments: [false, true])
  func ownRequestsBeforeARestartAreNotOthers(isLearned: Bool) throws {
    let sent = (0..<45).map { -25 + Double($0) / 3 }
    var restarted = pacer(learned: isLearned ? halfOver : nil, sent: sent)
    restarted.receive(answered(54, reset: 30), for: restarted.send(now: 0), now: 0.1)
    let standing = restarted.standing(now: 0.2, backlog: 139)
    #expect(standing.remaining == 54)
    #expect(standing.reserved <= 1)
    // The rest of this window, and all of the next.
    #expect(try #require(standing.etaSeconds) < 35)
    // Those of the window before do not count.
    let early = (0..<45).map { -89 + Double($0) / 3 }
    var alone = pacer(sent: early)
    alone.receive(answered(54, reset: 30), for: alone.send(now: 0), now: 0.1)
    #expect(alone.standing(now: 0.2, backlog: 139).reserved > 2)
  }

  @Test func ownRequestsOfALongPeriodAreNotForgottenBeforeItIsKnown() {
    let sent = (0..<300).map { -1_800 + Double($0) }
    var restarted = pacer(sent: sent)
    let reply = answered(99, reset: 1_800, limit: 400, period: 3_600)
    restarted.receive(reply, for: restarted.send(now: 0), now: 0.1)
    #expect(restarted.standing(now: 0.2, backlog: 1_000).reserved <= 4)
  }

  @Test func beforeTheFirstReplyALimitIsShownAsItWasBeforeTheRestart() {
    let restarted = pacer(learned: halfOver, sent: [-61, -31, -20, -10])
    let standing = restarted.standing(now: 0, backlog: 10)
    #expect(standing.remaining == 98)
    #expect((29.5...30.5).contains(standing.resetsIn ?? 0))
    #expect(restarted.standing(now: 31, backlog: 10).remaining == 100)
  }

  @Test func aWindowThatIsOverIsNotShownAsUsed() throws {
    var pacer = pacer(sent: (0..<79).map { -20 + Double($0) / 4 })
    pacer.receive(answered(20, reset: 30), for: pacer.send(now: 0), now: 0.1)
    #expect(pacer.standing(now: 28, backlog: 0).remaining == 20)
    let over = pacer.standing(now: 100, backlog: 200)
    #expect(over.remaining == 100)
    #expect((49...51).contains(try #require(over.resetsIn)))
    #expect(try #require(over.etaSeconds) < 60)
  }

  @Test func nothingIsDoneBeforeARefusalLetsTheNextRequestPass() throws {
    var pacer = pacer()
    pacer.receive(answered(80, reset: 10), for: pacer.send(now: 0), now: 0.1)
    let refusal = PacedReply(
      kind: .throttled, reading: RateLimitReading(limit: 100, period: 60, remaining: 0, reset: 9, retryAfter: 50))
    pacer.receive(refusal, for: pacer.send(now: 1), now: 1.1)
    let standing = pacer.standing(now: 2, backlog: 3)
    #expect(try #require(standing.etaSeconds) >= (try #require(standing.opensAt)) - 2)
    #expect(pacer.standing(now: 2, backlog: 0).etaSeconds == 0)
  }

  /// Nothing contradicts it.
  @Test(arguments: [(1_800.0, 1_800.0...1_801), (86_400, 3_600...3_601)])
  func aRetryAfterOfUpToAnHourIsObeyedWhereNoLimitIsKnown(asked: Seconds, waits: ClosedRange<Seconds>) {
    var pacer = pacer()
    let refusal = PacedReply(kind: .throttled, reading: RateLimitReading(retryAfter: asked))
    pacer.receive(refusal, for: pacer.send(now: 0), now: 0.1)
    guard case .wait(let until) = pacer.next(now: 1, backlog: 5) else {
      Issue.record("does not wait")
      return
    }
    #expect(waits.contains(until))
  }

  @Test func nonsenseThatWasLearnedDoesNoHarm() {
    let nonsense = LearnedLimits(limits: [
      .init(
        name: "x", allowance: Allowance(count: -5, period: .nan), takenByOthers: [.nan, .infinity, -1], edge: .infinity)
    ])
    var pacer = pacer(learned: nonsense)
    #expect(pacer.next(now: 0, backlog: 3) == .send)
    for _ in 1...2 { pacer.receive(answered(70, reset: 30, name: "x"), for: pacer.send(now: 0), now: 0.1) }
    #expect(pacer.next(now: 1, backlog: 3) == .send)
    #expect(pacer.learned.limits.first?.allowance.count == 100)
  }

  @Test(arguments: [("400/1h", 400, 3_600.0), ("100/10s", 100, 10), ("6000/m", 6_000, 60), ("5/250ms", 5, 0.25)])
  func readsAnAllowance(_ text: String, _ count: Int, _ period: Seconds) throws {
    let allowance = try #require(Allowance(text))
    #expect(allowance == Allowance(count: count, period: period))
    #expect(Allowance(allowance.description) == allowance)
  }

  @Test(arguments: [
    "", "400", "400/", "/1h", "0/1h", "-1/1h", "400/1y", "400/0s", "400/1h/2", "4e2/1h", "400 /1h", "1/99d",
  ])
  func refusesWhatIsNoAllowance(_ text: String) {
    #expect(Allowance(text) == nil)
  }
}
