// Finding a limit of which nothing is known, by its refusals alone.

import Testing

@testable import RateLimit

@Suite struct SearchedLimitTests {
  /// Sends so many that pass, the last one at `instant`.
  private func pass(_ count: Int, until instant: Seconds, _ search: inout SearchedLimit) {
    for _ in 0..<count { _ = search.succeeded(.to(sentAt: instant)) }
  }

  /// A probe that passes.
  private func probe(_ search: inout SearchedLimit, at instant: Seconds, clock: ServerClock = ServerClock())
    -> Successor?
  {
    search.succeeded(.to(sentAt: instant, isProbe: true, clock: clock))
  }

  @Test func aServerThatShowsNothingIsNotStormed() {
    var search = SearchedLimit(now: 0)
    #expect(search.ceiling(now: 100) == 20)
    // A tiny limit costs two refusals, a larger one about one in twenty.
    let allowed = [0, 10, 90, 100, 200].map { more in
      pass(more, until: 1, &search)
      return search.ceiling(now: 1)
    }
    #expect(allowed == [2, 3, 5, 10, 10])
    #expect(search.turn(.at(0, inFlight: 1)) == .go)
    #expect(search.granted == nil && search.source == .none)
  }

  @Test func nearTheCountThatWasRefusedRequestsGoOneByOne() {
    var search = SearchedLimit(now: 0)
    pass(50, until: 5, &search)
    _ = search.refuse(nil, wait: nil, .refusal(sentAt: 5))
    #expect(search.ceiling(now: 6) == 4)
    _ = probe(&search, at: 60)
    #expect(search.turn(.at(61, inFlight: 1)) == .go)
    pass(40, until: 65, &search)
    #expect(search.turn(.at(66, inFlight: 1)) == .reply)
    #expect(search.turn(.at(66)) == .go)
    // More have passed: the first count was not that of one window.
    pass(20, until: 67, &search)
    #expect(search.turn(.at(68, inFlight: 1)) == .go)
  }

  @Test func oneAsksAfterASecondAndThenJustAfterTheMultiplesOfUsualPeriods() throws {
    // It has begun long ago.
    var search = SearchedLimit(now: -500)
    let first = try search.refuse(nil, wait: nil, .refusal(sentAt: 2, clock: .ours)).until()
    #expect(abs(first - 3.1) < 0.001)
    // Who was under way when the limit was met tells nothing new.
    #expect(search.refuse(nil, wait: nil, .refusal(sentAt: 1.9, clock: .ours)) == .ignored)
    var asked = 3.1
    var probes: [Seconds] = []
    for _ in 0..<4 {
      let refusal = ReceivedReply.refusal(sentAt: asked, isProbe: true, clock: .ours)
      asked = try search.refuse(nil, wait: nil, refusal).until()
      probes.append((asked * 10).rounded() / 10)
    }
    // 5 s is excluded by the probe at 5.6, 10 s by that at 10.6, and so on.
    #expect(probes == [5.6, 10.6, 15.6, 20.6])
  }

  @Test func withoutAClockTheProbesAreEverFurtherApart() throws {
    var search = SearchedLimit(now: 0)
    var asked = 2.0
    var gaps: [Seconds] = []
    for round in 0..<7 {
      let until = try search.refuse(nil, wait: nil, .refusal(sentAt: asked, isProbe: round > 0)).until()
      gaps.append((until - asked - 0.1).rounded())
      asked = until
    }
    #expect(gaps == [1, 4, 8, 16, 30, 30, 30])
  }

  @Test func aRetryAfterIsObeyed() throws {
    var search = SearchedLimit(now: 0)
    let first = try search.refuse(nil, wait: 7, .refusal(sentAt: 2)).until()
    #expect(abs(first - 9.15) < 0.001)
    let second = try search.refuse(nil, wait: 7, .refusal(sentAt: 10, isProbe: true)).until()
    #expect(abs(second - 17.35) < 0.001)
  }

  @Test func twoMomentsAtWhichQuotaCameBackTellTheLimit() {
    var search = SearchedLimit(now: 0)
    pass(30, until: 10, &search)
    _ = search.refuse(nil, wait: nil, .refusal(sentAt: 10))
    _ = search.refuse(nil, wait: nil, .refusal(sentAt: 58.6, isProbe: true, clock: .ours))
    let back = probe(&search, at: 60.6, clock: .ours)
    #expect(back == nil)
    pass(99, until: 80, &search)
    _ = search.refuse(nil, wait: nil, .refusal(sentAt: 80, clock: .ours))
    _ = search.refuse(nil, wait: nil, .refusal(sentAt: 115, isProbe: true, clock: .ours))
    guard case .counted(let allowance, let edge?)? = probe(&search, at: 120.6, clock: .ours) else {
      Issue.record("not found")
      return
    }
    #expect(allowance == Allowance(count: 100, period: 60))
    #expect(abs(edge - 120) < 0.01)
  }

  /// An hourly window that begins with a request of somebody else's, 400 requests each time. Retry-After is rounded up.
  @Test func theLongestPeriodIsFoundThoughRetryAfterWasRoundedUp() throws {
    var search = SearchedLimit(now: 0)
    pass(300, until: 20, &search)
    let first = try search.refuse(nil, wait: 3_000, .refusal(sentAt: 20)).until()
    #expect(probe(&search, at: first) == nil)
    pass(399, until: first + 200, &search)
    let second = try search.refuse(nil, wait: 3_401, .refusal(sentAt: first + 200)).until()
    #expect(second - first > 3_601)
    #expect(probe(&search, at: second) == .counted(Allowance(count: 400, period: 3_600), edge: nil))
  }

  /// The moments at which probes go, each refused, until one passes at `end` or later, and what it found.
  private func probes(_ search: inout SearchedLimit, from first: Seconds, until end: Seconds, log: [Seconds]) throws
    -> (at: [Seconds], found: Successor?)
  {
    var (asked, all) = (first, [Seconds]())
    var isProbe = false
    while true {
      let refusal = ReceivedReply.refusal(sentAt: asked, isProbe: isProbe, clock: .ours, log: log)
      asked = try search.refuse(nil, wait: nil, refusal).until()
      isProbe = true
      all.append((asked * 10 + 0.01).rounded(.down) / 10)
      if asked >= end {
        return (all, search.succeeded(.to(sentAt: asked, isProbe: true, clock: .ours, log: log + [asked + 0.1])))
      }
    }
  }

  /// 50 in 10 s, counted from the first request on. It was answered at 3.1 s.
  @Test func quotaThatIsBackAUsualPeriodAfterTheFirstRequestIsALogOrBeganWithIt() throws {
    var search = SearchedLimit(now: 3)
    pass(50, until: 4, &search)
    let (at, back) = try probes(&search, from: 4.2, until: 13, log: [3.1])
    #expect(at == [5.3, 10.6, 13.1])
    #expect(back == nil)
    // It is obeyed as if it were known …
    let used = Array(repeating: 14.0, count: 49)
    #expect(search.turn(.at(14.1, log: [13.2] + used)).instant.map { abs($0 - 23.251) < 0.001 } == true)
    #expect(search.turn(.at(14.1, log: [3.1] + used)) == .go)
    // … until the 51st since then proves it, …
    var disproved = search
    pass(48, until: 23.4, &search)
    let last = search.succeeded(.to(sentAt: 23.4))
    #expect(last == nil)
    #expect(search.succeeded(.to(sentAt: 23.5)) == .counted(Allowance(count: 50, period: 10), edge: nil))
    // … or a refusal disproves it.
    _ = disproved.refuse(nil, wait: nil, .refusal(sentAt: 14.1, clock: .ours))
    #expect(disproved.turn(.at(18, log: [13.2] + used)) == .go)
  }

  @Test func aRetryAfterShowsTheSame() throws {
    var search = SearchedLimit(now: 3)
    pass(50, until: 4, &search)
    let until = try search.refuse(nil, wait: 9, .refusal(sentAt: 4.2)).until()
    #expect(abs(until - 13.35) < 0.001)
    _ = search.succeeded(.to(sentAt: until, isProbe: true, clock: .ours, log: [3.1, until + 0.1]))
    pass(49, until: 23.5, &search)
    #expect(search.succeeded(.to(sentAt: 23.5)) == .counted(Allowance(count: 50, period: 10), edge: nil))
  }

  /// Windows of 20 s that begin with a request. When the first one ended does not show when it had begun.
  @Test func theSecondSearchAsksAUsualPeriodAfterTheProbeThatPassed() throws {
    var search = SearchedLimit(now: 0)
    pass(50, until: 7, &search)
    let first = try probes(&search, from: 7, until: 14.5, log: [4])
    #expect(first.at.last == 15.6)
    pass(49, until: 17, &search)
    let second = try probes(&search, from: 17, until: 35.61, log: [4, 15.7])
    #expect(second.at.last == 35.7)
    #expect(second.found == .counted(Allowance(count: 50, period: 20), edge: nil))
  }

  /// Windows of 60 s that end at 37, 97 and 157 s: not at the full minutes between the refusals and the ends.
  @Test func aRetryAfterSaysWhenAWindowEndsAndNoMultipleBeforeItDoes() throws {
    var search = SearchedLimit(now: 0)
    pass(30, until: 10, &search)
    var found: Successor?
    for (refused, end) in [(10.0, 37.0), (50, 97)] {
      let until = try search.refuse(nil, wait: end - refused, .refusal(sentAt: refused, clock: .ours)).until()
      found = search.succeeded(.to(sentAt: until, isProbe: true, clock: .ours, log: [0.1]))
      pass(29, until: until + 1, &search)
    }
    #expect(found == .counted(Allowance(count: 30, period: 60), edge: nil))
  }

  /// Every 30 s would be 120 in an hour.
  @Test func inALongWindowProbesAreEverFurtherApart() throws {
    var search = SearchedLimit(now: 0)
    pass(400, until: 10, &search)
    let (at, found) = try probes(&search, from: 10, until: 3_600, log: [0.1])
    #expect(at.count < 75)
    #expect(found == nil)
  }

  /// The very first request is a probe, and may be refused.
  @Test func probesAreNotFurtherApartWhereTheFirstRequestWasRefused() throws {
    var search = SearchedLimit(now: 0)
    var (asked, gaps) = (1_000.0, [Seconds]())
    while asked < 1_600 {
      let until = try search.refuse(nil, wait: nil, .refusal(sentAt: asked, isProbe: true, clock: .ours)).until()
      gaps.append(until - asked)
      asked = until
    }
    #expect(gaps.allSatisfy { $0 < 61 } && gaps.count > 20)
  }

  /// A service in trouble may refuse for days: no limit that nobody has named makes anyone wait so long.
  @Test func momentsThatAreHoursApartTellNoLimit() throws {
    var search = SearchedLimit(now: 0)
    func refuse(at instant: Seconds, until last: Seconds) {
      _ = search.refuse(nil, wait: nil, .refusal(sentAt: instant, clock: .ours))
      _ = search.refuse(nil, wait: nil, .refusal(sentAt: last, isProbe: true, clock: .ours))
    }
    pass(30, until: 10, &search)
    refuse(at: 10, until: 50)
    let back = probe(&search, at: 60.6, clock: .ours)
    #expect(back == nil)
    pass(50, until: 3_700, &search)
    refuse(at: 3_700, until: 3_760)
    let again = probe(&search, at: 3_780.6, clock: .ours)
    #expect(again == nil)
    // The next one follows the last.
    pass(50, until: 3_800, &search)
    refuse(at: 3_800, until: 3_840)
    guard case .counted(let allowance, _)? = probe(&search, at: 3_840.6, clock: .ours) else {
      Issue.record("not found")
      return
    }
    #expect(allowance == Allowance(count: 51, period: 60))
  }

  /// The daemon was paused for most of an hour when it should have asked. Where in that hour the quota came back, nobody
  /// knows: not at the one multiple of half an hour in it.
  @Test func whenQuotaCameBackDuringAPauseIsNotGuessed() {
    var search = SearchedLimit(now: 0)
    func pass(_ count: Int, until instant: Seconds, andRefuseUntil last: Seconds) {
      self.pass(count, until: instant, &search)
      _ = search.refuse(nil, wait: nil, .refusal(sentAt: instant, clock: .ours))
      _ = search.refuse(nil, wait: nil, .refusal(sentAt: last, isProbe: true, clock: .ours))
    }
    pass(30, until: 10, andRefuseUntil: 50)
    let afterPause = probe(&search, at: 2_955.6, clock: .ours)
    pass(17, until: 2_961, andRefuseUntil: 2_962)
    let first = probe(&search, at: 2_987.6, clock: .ours)
    #expect(afterPause == nil && first == nil)
    pass(17, until: 2_995, andRefuseUntil: 2_996)
    guard case .counted(let allowance, _)? = probe(&search, at: 3_017.6, clock: .ours) else {
      Issue.record("not found")
      return
    }
    #expect(allowance == Allowance(count: 18, period: 30))
  }

  @Test func quotaThatIsBackAtOnceTwiceRefillsAllTheTime() {
    var search = SearchedLimit(now: 0)
    pass(30, until: 10, &search)
    _ = search.refuse(nil, wait: nil, .refusal(sentAt: 10))
    let back = probe(&search, at: 11.1)
    #expect(back == nil)
    pass(10, until: 14, &search)
    _ = search.refuse(nil, wait: nil, .refusal(sentAt: 14))
    let again = probe(&search, at: 15.1)
    #expect(again == .paced)
  }

  @Test func quotaThatIsBackLongBeforeAWindowCanHaveEndedDoesToo() {
    var search = SearchedLimit(now: 0)
    pass(30, until: 10, &search)
    _ = search.refuse(nil, wait: nil, .refusal(sentAt: 10))
    // Away for 90 s at least …
    _ = search.refuse(nil, wait: nil, .refusal(sentAt: 100, isProbe: true))
    let back = probe(&search, at: 110)
    #expect(back == nil)
    pass(5, until: 112, &search)
    _ = search.refuse(nil, wait: nil, .refusal(sentAt: 112))
    // … and this time for three.
    let again = probe(&search, at: 115)
    #expect(again == .paced)
  }
}
