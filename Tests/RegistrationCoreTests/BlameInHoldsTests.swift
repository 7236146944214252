import RateLimit
import Registration
import Testing

@testable import RegistrationCore

/// Keys that are themselves the trouble, while there is other trouble.
struct BlameInHoldsTests {
  private let success = Verdict.registered(status: 201)
  private let redirected = Verdict.misdirected(status: 302, title: "Redirected", detail: nil)
  private let unknown = Verdict.failed(status: 404, title: "Not Found", detail: "app key not found")

  /// The latest thing that a canary was told is not what began the hold.
  @Test func aKeyIsBlamedForAHoldWhateverItsCanariesWereTold() {
    var holds = holds()
    _ = holds.observe(redirected, for: job(1, order: 1), sent: 1, now: 0)
    let gateway = Verdict.unsettled(status: 403, title: "Forbidden", detail: "gateway")
    _ = holds.observe(success, for: job(2, order: 2), sent: 2, now: 0)
    _ = holds.observe(gateway, for: job(3, order: 3, isProbe: true), sent: 3, now: 1)
    _ = holds.observe(success, for: job(2, order: 4, isProbe: true, isKnownGood: true), sent: 4, now: 2)
    let effects = holds.observe(redirected, for: job(1, order: 5), sent: 5, now: 2)
    #expect(effects.contains { if case .postpone = $0 { true } else { false } } && holds.isOpen)
  }

  /// Otherwise it would turn the hold into another one, which the next refusal of a canary ends, and so on.
  @Test(arguments: [Verdict.misdirected(status: 302, title: "Redirected", detail: nil), .unauthorized(detail: nil)])
  func aKeyThatIsToBlameEndsNoHoldOfRefusedKeys(verdict: Verdict) {
    var holds = holds()
    _ = holds.observe(verdict, for: job(1, order: 1), sent: 1, now: 0)
    for order in 2...21 {
      _ = holds.observe(unknown, for: job(Int64(order), order: order, isProbe: order == 2), sent: order, now: 5)
    }
    #expect(holds.hold?.reason == .refused)
    let effects = holds.observe(verdict, for: job(1, order: 22), sent: 22, now: 5)
    #expect(effects.contains { if case .postpone = $0 { true } else { false } })
    #expect(holds.hold?.reason == .refused)
  }
}
