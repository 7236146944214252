import RateLimit
import RegistrationCore

/// The pacer's gate before an event, to check what the event did to it.
struct GateBefore {
  private let closedUntil: Seconds?
  /// The order of the request that went alone.
  private let probe: Int?

  init(_ core: Core, now: Seconds) {
    closedUntil = core.pacer.closedUntil(now: now)
    probe = core.pacerProbe
  }

  func broken(by event: Event, now core: Core, at now: Seconds) -> Violation? {
    guard case .reply(let answer, let order) = event else { return nil }
    if answer.verdict == .throttled, let closedUntil, core.pacer.closedUntil(now: now) ?? now < closedUntil - 0.001 {
      let detail = "request \(order): \((closedUntil - now).shown) s too early"
      return Violation(promise: "a refusal opens no gate", detail: detail)
    }
    if let probe, order != probe, core.pacerProbe != probe {
      return Violation(promise: "only the probe's own reply ends it", detail: "request \(order), probe \(probe)")
    }
    return nil
  }
}
