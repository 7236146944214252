import RateLimit
import Registration
import Testing

@testable import RegistrationCore

/// The table of what a reply does to a key and to the daemon, with time passed in.
@Suite struct HoldsTests {
  /// 2026-11-26T11:44:20Z
  private let wall = Timestamp(milliseconds: 1_795_693_460_000)
  private let forbidden = Verdict.forbidden(title: "Forbidden", detail: nil)
  private let unavailable = Verdict.unsettled(status: 503, title: "Service Unavailable", detail: nil)
  private let success = Verdict.registered(status: 201)
  private let denied = Verdict.failed(status: 400, title: "Invalid Parameter", detail: "no such key")
  private let unknown = Verdict.failed(status: 404, title: "Not Found", detail: "app key not found")

  private func began(_ effects: [Holds.Effect]) -> Holds.Reason? {
    if case .began(let hold) = effects.last { hold.reason } else { nil }
  }

  /// Each reply is to a request that was sent after the last one had come.
  private func refuse(_ holds: inout Holds, _ row: Int64, order: Int, isProbe: Bool = false) -> [Holds.Effect] {
    holds.observe(forbidden, for: job(row, order: order, isProbe: isProbe), sent: order, now: 0)
  }

  @Test func aHoldSaysWhatItsLastProbeWasToldIfThatIsAnother() {
    var holds = holds()
    let refused = Verdict.unauthorized(detail: nil)
    _ = holds.observe(refused, for: job(1, order: 1), sent: 1, now: 0)
    #expect(holds.hold?.sentence(now: wall) == "401 Unauthorized since 11:44:20Z")
    _ = holds.observe(unavailable, for: job(2, order: 2, isProbe: true), sent: 2, now: 10)
    #expect(
      holds.hold?.sentence(now: wall, nextTryIn: 8)
        == "401 Unauthorized since 11:44:20Z, last try: 503 Service Unavailable, next try in 8 s")
    _ = holds.observe(refused, for: job(2, order: 3, isProbe: true), sent: 3, now: 20)
    #expect(holds.hold?.reason == .credentials)
    #expect(holds.hold?.sentence(now: wall) == "401 Unauthorized since 11:44:20Z")
  }

  @Test func aForbiddenKeyFailsAfterTwoRefusalsAndTwoSuccessesOfOthers() {
    var holds = holds()
    for round in 0..<2 {
      let refused = job(1, order: 1 + 2 * round)
      #expect(refuse(&holds, 1, order: 1 + 2 * round) == [.keep(refused)])
      #expect(holds.gate(now: 0) == .probe(.another))
      holds.probeSent(order: 2 + 2 * round)
      #expect(holds.gate(now: 0) == .closed(until: nil))
      let canary = job(2, order: 2 + 2 * round, isProbe: true, isKnownGood: true)
      let effects = holds.observe(success, for: canary, sent: 2 + 2 * round, now: 0.1)
      let fault = RequestFault(status: 403, title: "Forbidden", detail: nil)
      #expect(effects == [round == 0 ? .release(refused) : .fail(refused, fault)])
      #expect(holds.gate(now: 0.1) == .open)
    }
  }

  @Test func aSuccessSentBeforeTheRefusalProvesNothing() {
    var holds = holds()
    let refused = job(1, order: 1)
    _ = holds.observe(forbidden, for: refused, sent: 2, now: 0)
    let other = job(2, order: 2)
    #expect(holds.observe(success, for: other, sent: 2, now: 0) == [.register(other, status: 201)])
    #expect(holds.gate(now: 0) == .probe(.another))
  }

  @Test func twoOtherKeysAreAskedAndThenOneThatIsKnownAndAllRefusedMeansTheCredentials() {
    var holds = holds()
    _ = refuse(&holds, 1, order: 1)
    for order in 2...3 {
      #expect(holds.gate(now: 0) == .probe(.another))
      #expect(
        refuse(&holds, Int64(order), order: order, isProbe: true) == [
          .keep(job(Int64(order), order: order, isProbe: true))
        ])
    }
    #expect(holds.gate(now: 0) == .probe(.known))
    let effects = refuse(&holds, 4, order: 4, isProbe: true)
    #expect(effects.dropLast().map { if case .release(let job) = $0 { job.order } else { 0 } } == [4, 1, 2, 3])
    #expect(began(effects) == .credentials && holds.hold?.sentence(now: wall) == "403 Forbidden since 11:44:20Z")
    // Nobody is one refusal nearer to failing.
    _ = holds.observe(success, for: job(9, order: 5, isProbe: true), sent: 5, now: 9)
    #expect(refuse(&holds, 1, order: 6) == [.keep(job(1, order: 6))])
    _ = holds.observe(success, for: job(8, order: 7, isProbe: true), sent: 7, now: 9)
    #expect(refuse(&holds, 1, order: 8) == [.keep(job(1, order: 8))])
  }

  @Test func refusedCredentialsAreProbedEverMoreSlowlyUntilASuccess() {
    var holds = holds()
    _ = holds.observe(.unauthorized(detail: nil), for: job(1, order: 1), sent: 1, now: 0)
    var now = 0.0
    var gaps: [Double] = []
    for order in 2...6 {
      guard case .closed(let until?) = holds.gate(now: now) else {
        Issue.record("open at \(now)")
        return
      }
      gaps.append(until - now)
      now = until
      // A registered key is sent once, in case all that wait are bad, and then seldom.
      #expect(holds.gate(now: now) == .probe(order == 3 ? .alternating : .another))
      _ = holds.observe(.unauthorized(detail: nil), for: job(1, order: order, isProbe: true), sent: order, now: now)
    }
    for (gap, bound) in zip(gaps, [5.0, 10, 20, 20, 20]) { #expect((bound...bound * 1.1).contains(gap)) }
    let effects = holds.observe(success, for: job(1, order: 7, isProbe: true), sent: 7, now: now)
    #expect(effects == [.register(job(1, order: 7, isProbe: true), status: 201), .ended(.credentials)])
    #expect(holds.gate(now: now) == .open)
  }

  @Test func aReloadEndsAHoldAndAsksAtOnce() {
    for verdict in [Verdict.unauthorized(detail: nil), .misdirected(status: 302, title: "Redirected", detail: nil)] {
      var holds = holds()
      _ = holds.observe(verdict, for: job(1, order: 1), sent: 1, now: 0)
      guard
        case .ended = holds.reloaded(
          retry: RetryPolicy(maxAttempts: 8, firstDelay: 1, maxDelay: 300), isNew: true, now: 1
        ).last
      else {
        Issue.record("still holding")
        continue
      }
      // One asks before the others follow.
      guard case .probe = holds.gate(now: 1) else {
        Issue.record("\(holds.gate(now: 1))")
        continue
      }
      holds.probeSent(order: 2)
      #expect(holds.gate(now: 1) == .closed(until: nil))
      _ = holds.observe(success, for: job(1, order: 2, isProbe: true), sent: 2, now: 1)
      #expect(holds.gate(now: 1) == .open)
    }
  }

  @Test func whatOldCredentialsWereAnsweredCountsAgainstNobody() {
    var holds = holds()
    for (order, verdict) in [
      Verdict.unauthorized(detail: nil), forbidden, unavailable, denied,
      .misdirected(status: 302, title: "Redirected", detail: nil),
    ].enumerated() {
      var old = job(Int64(order), order: order)
      old.isOutdated = true
      #expect(holds.observe(verdict, for: old, sent: 9, now: 0) == [.release(old)])
      #expect(holds.gate(now: 0) == .open)
    }
    var old = job(7, order: 7)
    old.isOutdated = true
    #expect(holds.observe(success, for: old, sent: 9, now: 0) == [.register(old, status: 201)])
  }

  @Test func aKeyThatIsNotKnownIsLookedAtASecondTime() throws {
    var holds = holds()
    _ = holds.observe(success, for: job(1, order: 1), sent: 1, now: 0)
    let first = job(2, order: 2)
    guard case .lookAgain(first, _, let delay) = holds.observe(unknown, for: first, sent: 2, now: 0).first else {
      Issue.record("no second look")
      return
    }
    #expect((30...60).contains(delay))
    var second = job(2, order: 3)
    second.key.isDenied = true
    guard case .fail(second, let fault) = holds.observe(unknown, for: second, sent: 3, now: 31).first else {
      Issue.record("a third look")
      return
    }
    #expect(fault.detail == "app key not found")
    // Every other refusal is final at once.
    let other = job(3, order: 4)
    guard case .fail(other, _) = holds.observe(denied, for: other, sent: 4, now: 31).first else {
      Issue.record("not final")
      return
    }
  }

  @Test(arguments: [400, 404, 409, 410, 422])
  func twentyKeysRefusedInTheSameWordsBeforeAnySuccessAreNobodysFault(status: Int) throws {
    var holds = holds()
    for row in 1..<20 {
      let sent = job(Int64(row), order: row)
      let verdict = Verdict.failed(status: status, title: "No", detail: "no key \(sent.key.id) here")
      #expect(holds.observe(verdict, for: sent, sent: row, now: 0) == [.keep(sent)])
      // The same key again is no other key.
      if row == 7 { #expect(holds.observe(verdict, for: sent, sent: row, now: 0) == [.keep(sent)]) }
    }
    #expect(holds.hold == nil && holds.waiting == 20)
    let last = job(20, order: 20)
    let effects = holds.observe(
      .failed(status: status, title: "No", detail: "no key \(last.key.id) here"), for: last, sent: 20, now: 0)
    #expect(began(effects) == .refused && effects.count == 22 && holds.waiting == 0)
    #expect(effects.dropLast().allSatisfy { if case .release = $0 { true } else { false } })
    let sentence = try #require(holds.hold?.sentence(now: wall))
    #expect(sentence.hasPrefix("\(status) No: no key ") && sentence.contains("since 11:44:20Z"))
    #expect(sentence.contains("keyreg resume"))
    // A canary now and then: of those that wait, never one that is known to be good.
    guard case .closed(let until?) = holds.gate(now: 0) else {
      Issue.record("\(holds.gate(now: 0))")
      return
    }
    #expect((30...33).contains(until) && holds.gate(now: until) == .probe(.waitingOnly))
  }

  @Test func aHoldOfRefusedKeysEndsWithASuccessAReloadOrTheOperatorsWord() {
    for ending in 0..<3 {
      var holds = holds()
      for row in 1...20 { _ = holds.observe(denied, for: job(Int64(row), order: row), sent: row, now: 0) }
      let next = job(30, order: 30)
      switch ending {
      case 0:
        let canary = job(21, order: 21, isProbe: true)
        #expect(holds.observe(denied, for: canary, sent: 21, now: 40) == [.release(canary)])
        let good = job(22, order: 22, isProbe: true)
        #expect(
          holds.observe(success, for: good, sent: 22, now: 99) == [.register(good, status: 201), .ended(.refused)])
      case 1:
        #expect(
          holds.reloaded(retry: RetryPolicy(maxAttempts: 8, firstDelay: 1, maxDelay: 300), isNew: true, now: 1) == [
            .ended(.refused)
          ]
        )
      default: #expect(holds.believe() == [.ended(.refused)])
      }
      #expect(holds.gate(now: 100) == .open)
      let effects = holds.observe(denied, for: next, sent: 30, now: 100)
      if ending == 1 {
        #expect(effects == [.keep(next)])
      } else {
        guard case .fail(next, _) = effects.first else {
          Issue.record("not believed: \(effects)")
          continue
        }
      }
    }
  }

  @Test func keysThatWaitFailOnceAnotherSucceedsOrTheAPITellsKeysApartOrNothingElseIsLeft() {
    for ending in 0..<3 {
      var holds = holds()
      let early = job(1, order: 1)
      #expect(holds.observe(denied, for: early, sent: 1, now: 0) == [.keep(early)])
      let effects: [Holds.Effect] =
        switch ending {
        case 0: holds.observe(success, for: job(2, order: 2), sent: 2, now: 0)
        case 1:
          ["old", "new", "long", "short"].enumerated().flatMap { index, word in
            let order = index + 2
            return holds.observe(
              .failed(status: 400, title: "Bad Request", detail: "too \(word)"), for: job(Int64(order), order: order),
              sent: order, now: 0)
          }
        default: holds.idle(at: Moment(now: Denials.lull, wall: Timestamp(milliseconds: 0)))
        }
      #expect(effects.contains { if case .fail(early, _) = $0 { true } else { false } })
    }
  }

  @Test func aKeyThatRanOutOfAttemptsIsAskedTwiceAgainAbout403() {
    var holds = Holds(retry: RetryPolicy(maxAttempts: 1, firstDelay: 1, maxDelay: 300), seed: 1)
    _ = holds.observe(forbidden, for: job(1, order: 1), sent: 1, now: 0)
    let first = holds.observe(success, for: job(2, order: 2, isProbe: true), sent: 2, now: 0)
    #expect(first.contains(.release(job(1, order: 1))))
    _ = holds.observe(unavailable, for: job(1, order: 3), sent: 3, now: 0)
    _ = holds.observe(success, for: job(3, order: 4), sent: 4, now: 0)
    // The operator wants it tried again.
    _ = holds.observe(forbidden, for: job(1, order: 5), sent: 5, now: 0)
    let second = holds.observe(success, for: job(4, order: 6, isProbe: true), sent: 6, now: 0)
    #expect(second.contains(.release(job(1, order: 5))))
  }

  /// The first canary belongs to an inquiry that has ended, then a new one begins.
  @Test(arguments: [Verdict.throttled, .registered(status: 201), .failed(status: 404, title: "No", detail: nil)])
  func aLateReplyToAnEarlierCanaryLetsNoSecondOneGo(verdict: Verdict) {
    var holds = holds()
    _ = refuse(&holds, 1, order: 1)
    holds.probeSent(order: 2)
    _ = holds.reloaded(retry: RetryPolicy(maxAttempts: 8, firstDelay: 1, maxDelay: 300), isNew: true, now: 0)
    let earlier = job(2, order: 2, isProbe: true)
    #expect(holds.gate(now: 0) == .closed(until: nil))
    _ = refuse(&holds, 4, order: 4)
    holds.probeSent(order: 3)
    _ = holds.observe(verdict, for: earlier, sent: 4, at: .zero)
    #expect(holds.gate(now: 0) == .closed(until: nil))
    _ = holds.observe(.throttled, for: job(3, order: 3, isProbe: true), sent: 3, at: .zero)
    #expect(holds.gate(now: 0) != .closed(until: nil))
  }
}
