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

  private func holds(maxAttempts: Int = 8) -> Holds {
    Holds(retry: RetryPolicy(maxAttempts: maxAttempts, firstDelay: 1, maxDelay: 300), seed: 7)
  }

  private func job(
    _ row: Int64, order: Int, attempts: Int = 0, isProbe: Bool = false, isKnownGood: Bool = false
  ) -> Job {
    Job(
      key: DueKey(row: row, id: AppKeyID(high: 0, low: UInt64(row)), attempts: attempts, state: .pending),
      order: order, sentAt: Timestamp(milliseconds: 0), isProbe: isProbe, isKnownGood: isKnownGood)
  }

  /// Each reply is to a request that was sent after the last one had come.
  private func refuse(_ holds: inout Holds, _ row: Int64, order: Int, isProbe: Bool = false) -> [Holds.Effect] {
    holds.observe(forbidden, for: job(row, order: order, isProbe: isProbe), sent: order, now: 0)
  }

  @Test func aForbiddenKeyFailsAfterTwoRefusalsAndTwoSuccessesOfOthers() {
    var holds = holds()
    for round in 0..<2 {
      let refused = job(1, order: 1 + 2 * round)
      #expect(refuse(&holds, 1, order: 1 + 2 * round) == [.keep(refused)])
      #expect(holds.gate(now: 0) == .probe(.another))
      holds.probeSent()
      #expect(holds.gate(now: 0) == .closed(until: nil))
      let canary = job(2, order: 2 + 2 * round, isProbe: true, isKnownGood: true)
      let effects = holds.observe(success, for: canary, sent: 2 + 2 * round, now: 0.1)
      let fault = Fault(status: 403, title: "Forbidden", detail: nil)
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
      holds.probeSent()
      #expect(
        refuse(&holds, Int64(order), order: order, isProbe: true) == [
          .keep(job(Int64(order), order: order, isProbe: true))
        ])
    }
    #expect(holds.gate(now: 0) == .probe(.known))
    holds.probeSent()
    let effects = refuse(&holds, 4, order: 4, isProbe: true)
    #expect(effects.dropLast().map { if case .release(let job) = $0 { job.order } else { 0 } } == [4, 1, 2, 3])
    #expect(began(effects) == .credentials && holds.hold?.sentence(now: wall) == "403 Forbidden since 11:44:20Z")
    // Nobody is one refusal nearer to failing.
    holds.probeSent()
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
      #expect(holds.gate(now: now) == .probe(.alternating))
      holds.probeSent()
      _ = holds.observe(.unauthorized(detail: nil), for: job(1, order: order, isProbe: true), sent: order, now: now)
    }
    for (gap, bound) in zip(gaps, [5.0, 10, 20, 20, 20]) { #expect((bound...bound * 1.1).contains(gap)) }
    holds.probeSent()
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
      holds.probeSent()
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

  @Test func aFailureAmongAnswersIsTheKeysOwnAttempt() {
    var holds = holds()
    for order in 1...20 {
      let failing = job(Int64(order), order: order)
      let effects = holds.observe(unavailable, for: failing, sent: order, now: 0)
      guard case .retry(failing, _, let delay) = effects.first else {
        Issue.record("\(effects)")
        return
      }
      #expect((0...1).contains(delay))
      let other = job(100, order: order)
      #expect(holds.observe(success, for: other, sent: order, now: 0) == [.register(other, status: 201)])
    }
    #expect(holds.gate(now: 0) == .open)
  }

  @Test func whenEveryKeyFailsItIsAnOutageAndTheAttemptsAreGivenBack() {
    var holds = holds()
    for order in 1...5 { _ = holds.observe(unavailable, for: job(Int64(order), order: order), sent: order, now: 0) }
    guard case .closed(let until?) = holds.gate(now: 0) else {
      Issue.record("five failures of five keys, and the gate is open")
      return
    }
    holds.probeSent()
    let probe = job(6, order: 6, isProbe: true)
    let effects = holds.observe(unavailable, for: probe, sent: 6, now: until)
    #expect(effects.dropLast() == [.release(probe)] + (1...5).map { .refund(row: $0) })
    #expect(began(effects) == .outage && holds.hold?.sentence(now: wall) == "503 Service Unavailable since 11:44:20Z")
    // Keys that were under way when it began are not charged either.
    let late = job(7, order: 5)
    #expect(holds.observe(unavailable, for: late, sent: 6, now: until) == [.release(late)])
  }

  @Test func anOutageEndsWithTheFirstAnswer() {
    var holds = holds()
    for order in 1...5 { _ = holds.observe(unavailable, for: job(Int64(order), order: order), sent: order, now: 0) }
    _ = holds.observe(unavailable, for: job(6, order: 6, isProbe: true), sent: 6, now: 1)
    let probe = job(7, order: 7, isProbe: true)
    #expect(holds.observe(denied, for: probe, sent: 7, now: 2) == [.ended(.outage), .keep(probe)])
    #expect(holds.gate(now: 2) == .open)
  }

  @Test func probesOfAnOutageAreFrequentAtFirstAndNeverRare() {
    var holds = holds()
    for order in 1...5 { _ = holds.observe(unavailable, for: job(Int64(order), order: order), sent: order, now: 0) }
    var now = 0.0
    var order = 6
    var sixHours = 0
    while now < 6 * 3_600 {
      if case .closed(let until?) = holds.gate(now: now) {
        #expect(until - now <= 30)
        if now < 30 { #expect(until - now <= 8) }
        now = until
      }
      holds.probeSent()
      let probe = job(Int64(order), order: order, isProbe: true)
      let effects = holds.observe(unavailable, for: probe, sent: order, now: now)
      #expect(!effects.contains { if case .fail = $0 { true } else { false } })
      order += 1
      sixHours += 1
    }
    #expect(sixHours > 700)
  }

  @Test func aKeyOutOfAttemptsFailsOnlyWhenAnotherWasAnsweredAfterIt() {
    var holds = holds(maxAttempts: 3)
    let last = job(1, order: 4, attempts: 2)
    #expect(holds.observe(unavailable, for: last, sent: 4, now: 0) == [.keep(last)])
    #expect(holds.observe(success, for: job(2, order: 3), sent: 4, now: 0).count == 1)
    let effects = holds.observe(success, for: job(3, order: 5), sent: 5, now: 0)
    #expect(effects.last == .fail(last, Fault(status: 503, title: "Service Unavailable", detail: nil)))
  }

  @Test func theOnlyKeyOutOfAttemptsIsAnOutageAndNotAFailure() {
    var holds = holds(maxAttempts: 1)
    let only = job(1, order: 1)
    #expect(holds.observe(unavailable, for: only, sent: 1, now: 0) == [.keep(only)])
    #expect(holds.idle(now: 0).isEmpty)
    let effects = holds.noCanary(at: Moment(now: 1, wall: wall))
    #expect(effects.first == .release(only) && began(effects) == .outage)
  }

  @Test func aServerThatRefusesEveryFirstAttemptIsNotAnOutageForLong() {
    var holds = holds()
    var suspicions = 0
    for order in 1...1_000 {
      _ = holds.observe(unavailable, for: job(Int64(order), order: order), sent: order, now: 0)
      guard !holds.isOpen else { continue }
      suspicions += 1
      holds.probeSent()
      _ = holds.observe(success, for: job(0, order: order, isProbe: true, isKnownGood: true), sent: order, now: 0)
    }
    #expect(suspicions < 40)
  }

  @Test func aRedirectOrARefusedCertificateHoldsAtOnce() {
    var holds = holds()
    let sent = job(1, order: 1)
    let verdict = Verdict.misdirected(status: nil, title: "TLS refused", detail: "self-signed certificate")
    let effects = holds.observe(verdict, for: sent, sent: 1, now: 0)
    #expect(effects.first == .release(sent) && began(effects) == .outage)
    #expect(holds.hold?.sentence(now: wall) == "TLS refused: self-signed certificate since 11:44:20Z")
  }

  @Test func aKeyThatAloneIsAnsweredWith401IsPutOffAndNeverCharged() {
    var holds = holds(maxAttempts: 2)
    _ = holds.observe(.unauthorized(detail: nil), for: job(1, order: 1), sent: 1, now: 0)
    holds.probeSent()
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
    holds.probeSent()
    _ = holds.observe(success, for: job(2, order: 2, isProbe: true), sent: 2, now: 5)
    var order = 3
    while holds.isOpen && order < 20 {
      _ = holds.observe(.unauthorized(detail: nil), for: job(1, order: order), sent: order, now: 5)
      order += 1
    }
    #expect(holds.hold?.reason == .credentials && order == 7)
  }

  // MARK: - The API's word on a key

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
        default: holds.idle(now: 0)
        }
      #expect(effects.contains { if case .fail(early, _) = $0 { true } else { false } })
    }
  }

  // MARK: - What a server in trouble asks for

  @Test func aProbeWaitsAsLongAsItWasAskedToAndAnHourAtMost() {
    for (asked, expected) in [(120.0, 120.0), (3_600, 3_600), (90_000, 3_600)] {
      var holds = holds()
      var now = 0.0
      for order in 1...5 {
        let effects = holds.observe(
          unavailable, for: job(Int64(order), order: order), sent: order, wait: asked, now: now)
        guard case .retry(_, _, let delay) = effects.first else {
          Issue.record("\(effects)")
          return
        }
        #expect(delay >= expected)
      }
      // Nothing is sent for so long: that is a hold, and nobody is charged.
      #expect(holds.hold?.reason == .outage)
      for order in 6...9 {
        guard case .closed(let until?) = holds.gate(now: now) else {
          Issue.record("open at \(now)")
          return
        }
        #expect(until - now >= expected && until - now <= expected + 31)
        now = until
        holds.probeSent()
        _ = holds.observe(
          unavailable, for: job(Int64(order), order: order, isProbe: true), sent: order, wait: asked, now: now)
      }
      // A reload asks at once.
      _ = holds.reloaded(retry: RetryPolicy(maxAttempts: 8, firstDelay: 1, maxDelay: 300), isNew: true, now: now)
      guard case .probe = holds.gate(now: now) else {
        Issue.record("not asked")
        return
      }
    }
  }

  @Test(arguments: [5, 6]) func aLateReplyMayAskForALongerWait(failures: Int) {
    var holds = holds()
    for order in 1...5 { _ = holds.observe(unavailable, for: job(Int64(order), order: order), sent: 10, now: 0) }
    if failures == 6 {
      _ = holds.observe(unavailable, for: job(6, order: 6, isProbe: true), sent: 10, now: 1)
      #expect(holds.hold?.reason == .outage)
    }
    // It was under way before anybody knew.
    _ = holds.observe(unavailable, for: job(7, order: 7), sent: 10, wait: 600, now: 2)
    #expect(holds.hold?.reason == .outage)
    #expect(holds.gate(now: 601) == .closed(until: 602))
  }

  @Test func aLateReplyThatAsksForAMomentPutsTheCanaryOff() {
    var holds = holds()
    for order in 1...5 { _ = holds.observe(unavailable, for: job(Int64(order), order: order), sent: 10, now: 0) }
    _ = holds.observe(unavailable, for: job(6, order: 6), sent: 10, wait: 5, now: 0)
    #expect(holds.hold == nil && holds.gate(now: 4) == .closed(until: 5))
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

  @Test func aGatewaysPageAsksWhetherTheURLIsRight() {
    var holds = holds()
    let page = Verdict.unsettled(status: 404, title: "Not Found", detail: "nothing here")
    for order in 1...5 { _ = holds.observe(page, for: job(Int64(order), order: order), sent: order, now: 0) }
    _ = holds.observe(page, for: job(6, order: 6, isProbe: true), sent: 6, now: 1)
    #expect(
      holds.hold?.sentence(now: wall)
        == "404 Not Found: nothing here since 11:44:20Z; that is no word of the API: is api.url right?")
  }
}
