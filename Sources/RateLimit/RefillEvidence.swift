// Whether replies come from a bucket that refills all the time. There Reset is the time until it is full, so it follows the
// count up and down; the end of a window only comes nearer, and the expiry of a sliding count hardly moves while it is used.

struct RefillEvidence: Sendable {
  /// The bounds between which Reset moved while it was always explained by the count.
  private var explained: Interval?
  private(set) var isRuledOut = false
  private var refusals = (count: 0, since: Seconds(0))

  mutating func note(_ reading: RateLimitReading, _ allowance: Allowance) {
    guard let reset = reading.reset, let remaining = reading.remaining else { return }
    guard Self.explains(reset: reset, remaining: remaining, allowance) else {
      explained = nil
      return
    }
    explained = Interval(low: min(explained?.low ?? reset, reset), high: max(explained?.high ?? reset, reset))
  }

  func isConclusive(_ period: Seconds) -> Bool {
    guard !isRuledOut, let explained else { return false }
    return explained.width >= max(3, 0.2 * period)
  }

  private static func explains(reset: Seconds, remaining: Int, _ allowance: Allowance) -> Bool {
    let limit = allowance.tokens
    return (0.05 * limit...0.95 * limit).contains(Double(remaining))
      && abs(reset - (limit - Double(remaining)) / allowance.rate) <= min(1.5, 0.15 * allowance.period)
  }

  /// A bucket whose refill is known refuses nearly nothing: one that refuses five times in a period is none.
  ///
  /// - Returns: whether it was believed to be one up to now, wrongly.
  mutating func noteRefusal(period: Seconds, now: Seconds) -> Bool {
    if now - refusals.since > period { refusals = (0, now) }
    refusals.count += 1
    guard refusals.count >= 5 else { return false }
    isRuledOut = true
    return true
  }
}
