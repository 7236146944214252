import RateLimit
import Registration
import RegistrationAPI
import RegistrationQueue
import Testing

@testable import RegistrationDaemon

/// The table of what a reply does to a key and to the daemon, with time passed in.
@Suite struct HoldsTests {
  private let forbidden = Verdict.forbidden(title: "Forbidden", detail: nil)
  private let unavailable = Verdict.unsettled(status: 503, title: "Service Unavailable", detail: nil)
  private let success = Verdict.registered(status: 201)

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

  @Test func aForbiddenKeyFailsWhenItIsRefusedAgainAfterACanaryHasSucceeded() {
    var holds = holds()
    let refused = job(1, order: 1)
    #expect(holds.observe(forbidden, for: refused, sent: 1, now: 0) == [.keep(refused)])
    #expect(holds.gate(now: 0) == .probe)
    holds.probeSent()
    #expect(holds.gate(now: 0) == .closed(until: nil))
    let canary = job(2, order: 2, isProbe: true, isKnownGood: true)
    let effects = holds.observe(success, for: canary, sent: 2, now: 0.1)
    #expect(effects == [.release(refused)])
    #expect(holds.gate(now: 0.1) == .open)
    let again = job(1, order: 3)
    let fault = Fault(status: 403, title: "Forbidden", detail: nil)
    #expect(holds.observe(forbidden, for: again, sent: 3, now: 0.2) == [.fail(again, fault)])
    #expect(holds.gate(now: 0.2) == .open)
  }

  @Test func aSuccessSentBeforeTheRefusalProvesNothing() {
    var holds = holds()
    let refused = job(1, order: 1)
    _ = holds.observe(forbidden, for: refused, sent: 2, now: 0)
    #expect(holds.observe(success, for: job(2, order: 2), sent: 2, now: 0).isEmpty)
    #expect(holds.gate(now: 0) == .probe)
  }

  @Test func aRefusedCanaryMeansTheCredentialsAndChargesNobody() {
    var holds = holds()
    let refused = job(1, order: 1)
    _ = holds.observe(forbidden, for: refused, sent: 1, now: 0)
    holds.probeSent()
    let canary = job(2, order: 2, isProbe: true)
    let effects = holds.observe(forbidden, for: canary, sent: 2, now: 0)
    #expect(effects == [.release(canary), .release(refused), .began(.credentials, detail: "403 Forbidden")])
    #expect(holds.reason == .credentials)
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
      #expect(holds.gate(now: now) == .probe)
      holds.probeSent()
      _ = holds.observe(.unauthorized(detail: nil), for: job(1, order: order, isProbe: true), sent: order, now: now)
    }
    for (gap, bound) in zip(gaps, [5.0, 10, 20, 20, 20]) { #expect((bound...bound * 1.1).contains(gap)) }
    holds.probeSent()
    let effects = holds.observe(success, for: job(1, order: 7, isProbe: true), sent: 7, now: now)
    #expect(effects == [.ended(.credentials)])
    #expect(holds.gate(now: now) == .open)
  }

  @Test func aReloadProbesAtOnce() {
    var holds = holds()
    _ = holds.observe(.unauthorized(detail: nil), for: job(1, order: 1), sent: 1, now: 0)
    holds.reloaded(retry: RetryPolicy(maxAttempts: 8, firstDelay: 1, maxDelay: 300), now: 1)
    #expect(holds.gate(now: 1) == .probe)
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
      #expect(holds.observe(success, for: job(100, order: order), sent: order, now: 0).isEmpty)
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
    #expect(
      effects == [.release(probe)] + (1...5).map { .refund(row: $0) }
        + [.began(.outage, detail: "503 Service Unavailable")])
    #expect(holds.reason == .outage)
    // Keys that were under way when it began are not charged either.
    let late = job(7, order: 5)
    #expect(holds.observe(unavailable, for: late, sent: 6, now: until) == [.release(late)])
  }

  @Test func anOutageEndsWithTheFirstAnswer() {
    var holds = holds()
    for order in 1...5 { _ = holds.observe(unavailable, for: job(Int64(order), order: order), sent: order, now: 0) }
    _ = holds.observe(unavailable, for: job(6, order: 6, isProbe: true), sent: 6, now: 1)
    let answer = Verdict.failed(status: 404, title: "Not Found", detail: nil)
    #expect(holds.observe(answer, for: job(7, order: 7, isProbe: true), sent: 7, now: 2) == [.ended(.outage)])
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
    #expect(holds.observe(success, for: job(2, order: 3), sent: 4, now: 0).isEmpty)
    let effects = holds.observe(success, for: job(3, order: 5), sent: 5, now: 0)
    #expect(effects == [.fail(last, Fault(status: 503, title: "Service Unavailable", detail: nil))])
  }

  @Test func theOnlyKeyOutOfAttemptsIsAnOutageAndNotAFailure() {
    var holds = holds(maxAttempts: 1)
    let only = job(1, order: 1)
    #expect(holds.observe(unavailable, for: only, sent: 1, now: 0) == [.keep(only)])
    holds.idle(now: 0)
    let effects = holds.noCanary(now: 1)
    #expect(effects == [.release(only), .began(.outage, detail: "503 Service Unavailable")])
  }

  @Test func aServerThatRefusesEveryFirstAttemptIsNotAnOutageForLong() {
    var holds = holds()
    var suspicions = 0
    for order in 1...1_000 {
      _ = holds.observe(unavailable, for: job(Int64(order), order: order), sent: order, now: 0)
      guard holds.phase != .open else { continue }
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
    #expect(effects == [.release(sent), .began(.outage, detail: "TLS refused: self-signed certificate")])
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
      #expect(fault.status == 401 && holds.phase == .open)
      delays.append(delay)
      #expect(holds.observe(success, for: job(3, order: 4 + 2 * round), sent: 4 + 2 * round, now: 9).isEmpty)
    }
    #expect(delays.allSatisfy { (1...300).contains($0) } && delays.contains { $0 > 60 })
    // Anybody else is still everybody's trouble.
    _ = holds.observe(.unauthorized(detail: nil), for: job(4, order: 60), sent: 60, now: 10)
    #expect(holds.reason == .credentials)
  }

  @Test func keysThatWerePutOffHoldAllTheSameWhenNobodySucceeds() {
    var holds = holds()
    _ = holds.observe(.unauthorized(detail: nil), for: job(1, order: 1), sent: 1, now: 0)
    holds.probeSent()
    _ = holds.observe(success, for: job(2, order: 2, isProbe: true), sent: 2, now: 5)
    var order = 3
    while holds.phase == .open && order < 20 {
      _ = holds.observe(.unauthorized(detail: nil), for: job(1, order: order), sent: order, now: 5)
      order += 1
    }
    #expect(holds.reason == .credentials && order == 7)
  }

  @Test func aThrottledKeyIsUntouchedInEveryPhase() {
    var holds = holds()
    let sent = job(1, order: 1)
    #expect(holds.observe(.throttled, for: sent, sent: 1, now: 0) == [.release(sent)])
    #expect(holds.gate(now: 0) == .open)
  }
}
