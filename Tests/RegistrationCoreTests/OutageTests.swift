import RateLimit
import Registration
import Testing

@testable import RegistrationCore

/// What failures, outages and redirects do to a key and to the daemon, with time passed in.
@Suite struct OutageTests {
  /// 2026-11-26T11:44:20Z
  private let wall = Timestamp(milliseconds: 1_795_693_460_000)
  private let unavailable = Verdict.unsettled(status: 503, title: "Service Unavailable", detail: nil)
  private let success = Verdict.registered(status: 201)
  private let denied = Verdict.failed(status: 400, title: "Invalid Parameter", detail: "no such key")

  private func began(_ effects: [Holds.Effect]) -> Holds.Reason? {
    if case .began(let hold) = effects.last { hold.reason } else { nil }
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
      let witnessed = [.register(other, status: 201), Holds.Effect.charge(row: Int64(order))]
      #expect(holds.observe(success, for: other, sent: order, now: 0) == witnessed)
    }
    #expect(holds.gate(now: 0) == .open)
  }

  @Test func whenEveryKeyFailsItIsAnOutageAndNoAttemptCounts() throws {
    var holds = holds()
    for order in 1...5 { _ = holds.observe(unavailable, for: job(Int64(order), order: order), sent: order, now: 0) }
    guard case .closed(let first?) = holds.gate(now: 0) else {
      Issue.record("five failures of five keys, and the gate is open")
      return
    }
    // Two canaries: another key, and one that is known to be good.
    #expect(holds.gate(now: first) == .probe(.another))
    let other = job(8, order: 6, isProbe: true)
    #expect(holds.observe(unavailable, for: other, sent: 6, now: first) == [.release(other)])
    guard case .closed(let until?) = holds.gate(now: first) else {
      Issue.record("the second canary goes at once")
      return
    }
    #expect(holds.gate(now: until) == .probe(.known))
    let probe = job(6, order: 6, isProbe: true)
    let effects = holds.observe(unavailable, for: probe, sent: 6, now: until)
    #expect(effects.dropLast() == [.release(probe)] + (1...5).map { .spare(row: $0) })
    #expect(began(effects) == .outage && holds.hold?.sentence(now: wall) == "503 Service Unavailable since 11:44:20Z")
    let later = wall.adding(seconds: 12 * 60 + 5)
    #expect(
      holds.hold?.sentence(now: later, nextTryIn: 7.4)
        == "503 Service Unavailable since 11:44:20Z (12 min), next try in 8 s")
    let next = try #require(holds.nextProbe)
    #expect(holds.gate(now: until) == .closed(until: next))
    // Keys that were under way when it began are not charged either.
    let late = job(7, order: 5)
    #expect(holds.observe(unavailable, for: late, sent: 6, now: until) == [.release(late)])
  }

  @Test func anOutageEndsWithTheFirstAnswer() {
    var holds = holds()
    for order in 1...5 { _ = holds.observe(unavailable, for: job(Int64(order), order: order), sent: order, now: 0) }
    for now in [0.5, 1] { _ = holds.observe(unavailable, for: job(6, order: 6, isProbe: true), sent: 6, now: now) }
    let probe = job(7, order: 7, isProbe: true)
    #expect(holds.observe(denied, for: probe, sent: 7, now: 2) == [.ended(.outage), .keep(probe)])
    #expect(holds.gate(now: 2) == .open)
  }

  @Test func probesOfAnOutageAreFrequentAtFirstAndAFewHundredInSixHours() {
    var holds = holds()
    for order in 1...5 { _ = holds.observe(unavailable, for: job(Int64(order), order: order), sent: order, now: 0) }
    var now = 0.0
    var order = 6
    var sixHours = 0
    while now < 6 * 3_600 {
      if case .closed(let until?) = holds.gate(now: now) {
        #expect(until - now <= (now < 600 ? 7.5 : min(120, now / 20)))
        now = until
      }
      let probe = job(Int64(order), order: order, isProbe: true)
      let effects = holds.observe(unavailable, for: probe, sent: order, now: now)
      #expect(!effects.contains { if case .fail = $0 { true } else { false } })
      order += 1
      sixHours += 1
    }
    #expect((200...450).contains(sixHours))
  }

  /// Apache's mod_evasive refuses for 10 s from the last request on.
  @Test func aGatewayThatForbidsIsProbedLaterAndLater() {
    let forbidden = Verdict.unsettled(status: 403, title: "403 Forbidden", detail: "")
    var holds = holds()
    for order in 1...5 { _ = holds.observe(forbidden, for: job(Int64(order), order: order), sent: order, now: 0) }
    var now = 0.0
    var waits: [Double] = []
    for order in 6...40 {
      if case .closed(let until?) = holds.gate(now: now) {
        waits.append(until - now)
        now = until
      }
      let effects = holds.observe(
        forbidden, for: job(Int64(order), order: order, isProbe: true), sent: order, now: now)
      #expect(!effects.contains { if case .fail = $0 { true } else { false } })
    }
    #expect(waits.allSatisfy { $0 <= 120 })
    #expect(waits.prefix(7).contains { $0 > 10 })
    let ended = holds.observe(success, for: job(41, order: 41, isProbe: true), sent: 41, now: now)
    #expect(ended.contains(.ended(.outage)) && holds.gate(now: now) == .open)
  }

  @Test func aKeyOutOfAttemptsFailsOnlyWhenAnotherWasAnsweredAfterIt() {
    var holds = holds(maxAttempts: 3)
    let last = job(1, order: 4, attempts: 2)
    #expect(holds.observe(unavailable, for: last, sent: 4, now: 0) == [.keep(last)])
    #expect(holds.observe(success, for: job(2, order: 3), sent: 4, now: 0).count == 1)
    let effects = holds.observe(success, for: job(3, order: 5), sent: 5, now: 0)
    #expect(effects.last == .fail(last, RequestFault(status: 503, title: "Service Unavailable", detail: nil)))
  }

  @Test func theOnlyKeyOutOfAttemptsIsAnOutageAndNotAFailure() {
    var holds = holds(maxAttempts: 1)
    let only = job(1, order: 1)
    #expect(holds.observe(unavailable, for: only, sent: 1, now: 0) == [.keep(only)])
    #expect(holds.idle(at: .zero).isEmpty)
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
      for now in [0.5, 1] { _ = holds.observe(unavailable, for: job(6, order: 6, isProbe: true), sent: 10, now: now) }
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

  @Test func aGatewaysPageAsksWhetherTheURLIsRight() {
    var holds = holds()
    let page = Verdict.unsettled(status: 404, title: "Not Found", detail: "nothing here")
    for order in 1...5 { _ = holds.observe(page, for: job(Int64(order), order: order), sent: order, now: 0) }
    for now in [0.5, 1] { _ = holds.observe(page, for: job(6, order: 6, isProbe: true), sent: 6, now: now) }
    #expect(
      holds.hold?.sentence(now: wall)
        == "404 Not Found: nothing here since 11:44:20Z; that answer is not the API's: check api.url")
  }
}
