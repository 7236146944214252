import RateLimit
import Registration
import Testing

@testable import RegistrationCore

/// Keys that are themselves the trouble: they do not stop the others again and again.
@Suite struct BlameTests {
  private let success = Verdict.registered(status: 201)
  private let forbidden = Verdict.forbidden(title: "Forbidden", detail: nil)
  private let unavailable = Verdict.unsettled(status: 503, title: "Service Unavailable", detail: nil)
  private let redirected = Verdict.misdirected(status: 302, title: "Redirected", detail: nil)

  @Test func aKeyThatAloneIsAnsweredWith401IsPutOffAndNeverCharged() {
    var holds = holds(maxAttempts: 2)
    _ = holds.observe(.unauthorized(detail: nil), for: job(1, order: 1), sent: 1, now: 0)
    _ = holds.observe(success, for: job(2, order: 2, isProbe: true), sent: 2, now: 5)
    var delays: [Double] = []
    for round in 0..<20 {
      let again = job(1, order: 3 + 2 * round)
      guard
        case .postpone(again, let fault, let delay) = holds.observe(
          .unauthorized(detail: nil), for: again, sent: again.order, now: 5
        ).first
      else {
        Issue.record("held again for the same key, or charged it")
        return
      }
      #expect(fault.status == 401 && holds.isOpen)
      delays.append(delay)
      #expect(holds.observe(success, for: job(3, order: 4 + 2 * round), sent: 4 + 2 * round, now: 9).count == 1)
    }
    #expect(delays.allSatisfy { (1...300).contains($0) } && delays.contains { $0 > 60 })
    // Anybody else is still everybody's trouble.
    _ = holds.observe(.unauthorized(detail: nil), for: job(4, order: 60), sent: 60, now: 10)
    #expect(holds.hold?.reason == .credentials)
  }

  @Test func keysThatWerePutOffHoldAllTheSameWhenNobodySucceeds() {
    var holds = holds()
    _ = holds.observe(.unauthorized(detail: nil), for: job(1, order: 1), sent: 1, now: 0)
    _ = holds.observe(success, for: job(2, order: 2, isProbe: true), sent: 2, now: 5)
    var order = 3
    while holds.isOpen && order < 20 {
      _ = holds.observe(.unauthorized(detail: nil), for: job(1, order: order), sent: order, now: 5)
      order += 1
    }
    #expect(holds.hold?.reason == .credentials && order == 7)
  }

  /// What it did before counts no more, whatever it failed of.
  @Test(arguments: [403, 503]) func aKeyThatIsRetriedAfterItsFailureStartsAnew(status: Int) {
    var holds = holds(maxAttempts: 1)
    _ = holds.observe(redirected, for: job(1, order: 1), sent: 1, now: 0)
    _ = holds.observe(success, for: job(2, order: 2, isProbe: true), sent: 2, now: 5)
    var effects: [Holds.Effect] = []
    for round in 1...2 {
      let order = 1 + 2 * round
      let verdict = status == 403 ? forbidden : unavailable
      _ = holds.observe(verdict, for: job(1, order: order), sent: order, now: 5)
      effects = holds.observe(
        success, for: job(3, order: order + 1, isProbe: !holds.isOpen), sent: order + 1, now: 5)
      if status == 503 { break }
    }
    #expect(effects.contains { if case .fail(let job, _) = $0 { job.key.row == 1 } else { false } })
    _ = holds.observe(redirected, for: job(1, order: 7), sent: 7, now: 60_000)
    #expect(holds.hold?.reason == .outage)
  }

  /// Its outcome ends what it did before, also where it is registered again.
  @Test(arguments: [true, false]) func aKeyThatTheAPIHasAnsweredIsBlamedForNothing(isSuccess: Bool) {
    var holds = holds()
    _ = holds.observe(redirected, for: job(1, order: 1), sent: 1, now: 0)
    _ = holds.observe(success, for: job(2, order: 2, isProbe: true), sent: 2, now: 5)
    _ = holds.observe(isSuccess ? success : unknown, for: job(1, order: 3), sent: 3, now: 5)
    _ = holds.observe(redirected, for: job(1, order: 4), sent: 4, now: 60)
    #expect(holds.hold?.reason == .outage)
  }

  @Test func allKeysWith401InAHoldAreBlamedForIt() {
    var holds = holds()
    for order in 1...3 {
      _ = holds.observe(.unauthorized(detail: nil), for: job(Int64(order), order: order), sent: 3, now: 0)
    }
    _ = holds.observe(success, for: job(9, order: 4, isProbe: true, isKnownGood: true), sent: 4, now: 5)
    for order in 5...7 {
      let again = job(Int64(order - 4), order: order)
      guard
        case .postpone(again, _, _)? = holds.observe(
          .unauthorized(detail: nil), for: again, sent: order, now: 5
        ).first
      else {
        Issue.record("key \(order - 4) holds everything again")
        return
      }
    }
  }

  @Test func aCanaryThatBeganAHoldBeforeLetsTheNextOneGo() {
    var holds = holds()
    _ = holds.observe(redirected, for: job(1, order: 1), sent: 1, now: 0)
    _ = holds.observe(success, for: job(9, order: 2, isProbe: true, isKnownGood: true), sent: 2, now: 1)
    _ = holds.observe(forbidden, for: job(2, order: 3), sent: 3, now: 2)
    guard
      case .postpone? = holds.observe(redirected, for: job(1, order: 4, isProbe: true), sent: 4, now: 2).first
    else {
      Issue.record("it holds everything again")
      return
    }
    #expect(holds.gate(now: 2) == .probe(.another))
  }

  /// A registered key has told that the 403 is about the one key: that is examined again at once.
  @Test func aKeyWhose403AKnownKeyHasExplainedIsNotPutOffAgain() {
    var holds = holds()
    for order in 1...4 {
      _ = holds.observe(forbidden, for: job(Int64(order), order: order, isProbe: order > 1), sent: order, now: 0)
    }
    let refused = Verdict.failed(status: 400, title: "Invalid", detail: "no")
    _ = holds.observe(refused, for: job(5, order: 5, isProbe: true), sent: 5, now: 5)
    for order in 6...8 {
      let sent = job(Int64(order - 5), order: order)
      guard case .postpone(sent, _, _)? = holds.observe(forbidden, for: sent, sent: order, now: 6).first else {
        Issue.record("not put off")
        return
      }
    }
    let last = job(4, order: 9)
    #expect(holds.observe(forbidden, for: last, sent: 9, now: 6) == [.keep(last)])
    _ = holds.observe(success, for: job(9, order: 10, isProbe: true, isKnownGood: true), sent: 10, now: 6)
    let again = job(4, order: 11)
    #expect(holds.isOpen && holds.observe(forbidden, for: again, sent: 11, now: 6) == [.keep(again)])
  }

  /// Keys that are refused come first, and no key succeeds that could say whether they are rightly.
  @Test func unknownKeysGetTheirTurnBehindForbiddenOnes() {
    var bench = CoreBench(keys: 15)
    let unknown = Verdict.failed(status: 404, title: "Not Found", detail: "app key not found")
    _ = bench.outcomes { $0.key.row <= 4 ? forbidden : unknown }
    #expect(bench.outcomes == Dictionary(uniqueKeysWithValues: (5...15).map { (Int64($0), .failed) }))
    #expect(bench.core.holds.hold?.reason == .credentials)
  }

  /// The keys out of attempts fail by the word of another key, and one that always begins a hold is none.
  @Test func keysOutOfAttemptsFailBesideOneThatIsRedirected() {
    var bench = CoreBench(keys: 8, attempts: 1)
    _ = bench.outcomes { job in
      switch job.key.row {
      case 1, 8: success
      case 7: redirected
      default: unavailable
      }
    }
    #expect(bench.keys.keys.sorted() == [7])
    #expect(bench.outcomes[8] == .registered && (2...6).allSatisfy { bench.outcomes[$0] == .failed })
  }

  /// How often each key was sent in `seconds`, one after the other, and the outcomes.
  private func sent(_ bench: inout CoreBench, seconds: Double, _ answer: (Int64) -> Verdict) -> [Int64: Int] {
    var now = 0.0
    var count: [Int64: Int] = [:]
    while now < seconds, !bench.keys.isEmpty {
      let wanted = bench.tick(now: now)
      bench.commit(wanted.results, now: now)
      for job in wanted.sends {
        count[job.key.row, default: 0] += 1
        bench.commit(bench.reply(job.isKnownGood ? success : answer(job.key.row), to: job, now: now).results, now: now)
        now += 0.05
      }
      if wanted.sends.isEmpty { now = max(now + 0.01, min(wanted.wake ?? .infinity, now + 0.5)) }
    }
    return count
  }

  private func denied(_ status: Int) -> Verdict { .failed(status: status, title: "No", detail: "app key, no") }

  /// What the API said of a key is not forgotten when another key begins a hold.
  @Test(arguments: [[403, 409], [403, 409, 409, 400, 400], [401, 409], [404, 503, 503, 503, 503, 503]])
  func aRefusalStandsBesideKeysThatHoldEverythingUp(statuses: [Int]) {
    var bench = CoreBench(keys: statuses.count)
    let count = sent(&bench, seconds: 200) { row in
      switch statuses[Int(row) - 1] {
      case 401: .unauthorized(detail: nil)
      case 403: forbidden
      case 503: unavailable
      case let status: denied(status)
      }
    }
    for (index, status) in statuses.enumerated() where [400, 404, 409].contains(status) {
      #expect(bench.outcomes[Int64(index + 1)] == .failed && count[Int64(index + 1)] == (status == 404 ? 2 : 1))
    }
    #expect(count.values.allSatisfy { $0 < 100 }, "\(count)")
  }

  /// Until then, another key may soon be answered.
  @Test func aRefusalStandsOnceThreeCanariesOfAHoldHaveComeBack() {
    var holds = holds()
    let refused = job(1, order: 1)
    #expect(holds.observe(denied(409), for: refused, sent: 1, now: 0) == [.keep(refused)])
    _ = holds.observe(.unauthorized(detail: nil), for: job(2, order: 2), sent: 2, now: 0)
    let decided = (3...5).map { order in
      let canary = job(2, order: order, isProbe: true)
      return holds.observe(.unauthorized(detail: nil), for: canary, sent: order, now: 60 * Double(order))
        .contains { if case .fail(refused, _) = $0 { true } else { false } }
    }
    #expect(decided == [false, false, true])
  }

  @Test(arguments: [1, 16]) func aListOfBadKeysEndsBesideAKnownGoodOne(workers: Int) {
    var bench = CoreBench(
      keys: 29, workers: workers, attempts: 4, canary: CoreBench.key(99, attempts: 1, state: .registered))
    let count = sent(&bench, seconds: 400) { $0 <= 2 ? forbidden : $0 <= 4 ? denied(404) : unavailable }
    #expect(bench.outcomes.count == 29 && bench.outcomes.values.allSatisfy { $0 == .failed }, "\(bench.outcomes)")
    #expect(count.values.reduce(0, +) < 200, "\(count)")
  }

  @Test(arguments: [1, 16]) func keysThatAreAnswered401HardlyDelayTheOthers(workers: Int) {
    var bench = CoreBench(keys: 200, workers: workers)
    _ = sent(&bench, seconds: 60) { $0 % 20 == 5 ? .unauthorized(detail: nil) : success }
    #expect(bench.outcomes.count == 190 && bench.keys.count == 10)
  }

  /// They are not sent again while the credentials are in question: what is known of them decides once it is.
  @Test func keysOutOfAttemptsStayInHandWhileA403IsExamined() {
    var holds = holds(maxAttempts: 1)
    let (failed, refused) = (job(1, order: 1), job(2, order: 2))
    _ = holds.observe(unavailable, for: failed, sent: 1, now: 0)
    #expect(holds.observe(forbidden, for: refused, sent: 2, now: 0) == [.keep(refused)])
    #expect(holds.waiting == 2)
    let witness = job(3, order: 3, isProbe: true)
    #expect(
      holds.observe(success, for: witness, sent: 3, now: 0) == [
        .register(witness, status: 201),
        .fail(failed, RequestFault(status: 503, title: "Service Unavailable", detail: nil)), .release(refused),
      ])
    #expect(holds.waiting == 0 && holds.isOpen)
  }

  @Test func canariesThatWereLostInVainMakeRoomForOthers() {
    var holds = holds()
    _ = holds.observe(forbidden, for: job(1, order: 1), sent: 1, now: 0)
    for order in 2...4 {
      _ = holds.observe(unavailable, for: job(Int64(order), order: order, isProbe: true), sent: order, now: 0)
    }
    #expect(holds.hold?.reason == .outage)
    _ = holds.observe(success, for: job(9, order: 5, isProbe: true, isKnownGood: true), sent: 5, now: 1)
    _ = holds.observe(forbidden, for: job(1, order: 6), sent: 6, now: 2)
    for order in 7...9 {
      let sent = job(Int64(order - 5), order: order, isProbe: true)
      guard case .postpone(sent, _, _)? = holds.observe(unavailable, for: sent, sent: order, now: 2).first else {
        Issue.record("it keeps a canary's place")
        return
      }
    }
    #expect(holds.gate(now: 2) == .probe(.another))
  }

  @Test func aRefusalThatEndsAHoldBlamesWhoBeganItToo() {
    var holds = holds()
    _ = holds.observe(redirected, for: job(1, order: 1), sent: 1, now: 0)
    _ = holds.observe(forbidden, for: job(2, order: 2, isProbe: true), sent: 2, now: 1)
    #expect(holds.hold == nil)
    let again = job(1, order: 3, isProbe: true)
    guard case .postpone(again, _, _)? = holds.observe(redirected, for: again, sent: 3, now: 1).first else {
      Issue.record("it holds everything again")
      return
    }
  }

  /// Whatever the API says of other keys, it is there.
  @Test func keysArePutOffAsLongAsTheAPIAnswersForOthers() {
    var holds = holds()
    _ = holds.observe(redirected, for: job(1, order: 1), sent: 1, now: 0)
    _ = holds.observe(unknown, for: job(2, order: 2, isProbe: true), sent: 2, now: 1)
    for round in 1...10 {
      let again = job(1, order: 2 * round + 1)
      guard case .postpone(again, _, _)? = holds.observe(redirected, for: again, sent: again.order, now: 2).first else {
        Issue.record("it holds everything again")
        return
      }
      _ = holds.observe(unknown, for: job(Int64(round + 2), order: 2 * round + 2), sent: 2 * round + 2, now: 2)
    }
  }

  // MARK: - Inquiries that others interrupt

  private let unknown = Verdict.failed(status: 404, title: "Not Found", detail: "app key not found")

  /// A key that the API does not know proves nothing about the credentials.
  @Test func canariesRefusedAmongOtherAnswersMeanTheCredentialsToo() {
    var holds = holds()
    _ = holds.observe(success, for: job(1, order: 1), sent: 1, now: 0)
    _ = holds.observe(forbidden, for: job(2, order: 2), sent: 2, now: 0)
    var order = 3
    while holds.hold == nil, order < 20 {
      let canary = job(Int64(order), order: order, isProbe: true)
      _ = holds.observe(order % 2 == 1 ? forbidden : unknown, for: canary, sent: order, now: 0)
      order += 1
    }
    #expect(holds.hold?.reason == .credentials && order == 8)
    #expect(holds.waiting == 0)
  }

  @Test(arguments: [true, false]) func aServerThatAsksForALongWaitDuringAnInquiryIsAnOutage(isCanary: Bool) {
    var holds = holds()
    _ = holds.observe(forbidden, for: job(1, order: 1), sent: 2, now: 0)
    let asked = job(2, order: 2, isProbe: isCanary)
    _ = holds.observe(unavailable, for: asked, sent: 2, wait: 1_800, now: 0)
    #expect(holds.hold?.reason == .outage)
    guard case .closed = holds.gate(now: 1_799), case .probe = holds.gate(now: 1_801) else {
      Issue.record("\(holds.gate(now: 1_799)), \(holds.gate(now: 1_801))")
      return
    }
  }

  @Test func theLastKeysLastAttemptWithALongRetryAfterIsAnOutage() {
    var holds = holds(maxAttempts: 1)
    let only = job(1, order: 1)
    _ = holds.observe(unavailable, for: only, sent: 1, wait: 3_600, now: 0)
    #expect(holds.idle(at: .zero).first == .release(only))
    #expect(holds.hold?.reason == .outage)
  }

  /// The key that was refused is gone; the one before it must not wait for its canary.
  @Test func aKeyOutOfAttemptsIsNotLeftBehindAnInquiry() {
    var holds = holds(maxAttempts: 1)
    let failed = job(1, order: 1)
    _ = holds.observe(unavailable, for: failed, sent: 1, now: 0)
    _ = holds.observe(forbidden, for: job(2, order: 2), sent: 2, now: 0)
    _ = holds.reloaded(retry: RetryPolicy(maxAttempts: 1, firstDelay: 1, maxDelay: 300), isNew: false, now: 0)
    #expect(holds.waiting == 1)
    #expect(holds.noCanary(at: .zero).first == .release(failed))
    #expect(holds.hold?.reason == .outage)
  }
}
