// Whether replies come from a bucket that refills all the time. Its Reset is the time until it is full, so it rises as
// the count falls. In a window it only falls, and the expiry of a sliding count hardly moves while the count is used.

struct RefillEvidence: Sendable {
  /// The lowest Reset of the recent readings that the count explained.
  private var lowest: Seconds?
  private var hasRisen = false
  /// The first reading since the count last rose, where no reply names a period.
  private var earlier: (missing: Double, reset: Seconds)?
  /// The period that an earlier reading gave, and what was missing then.
  private var seenOnce: (period: Seconds, missing: Double)?
  /// Seconds that a token of a bucket takes at least: what two readings in a row agree on, and what the last one says.
  /// The first Reset of a window or a log is long though little is missing.
  private var slowest: Seconds = 0
  private var lastAtLeast: Seconds = 0
  private var isRuledOut = false

  /// Seconds by which Reset may be below, and above, what the count explains. It is in whole seconds with unknown
  /// rounding, and one written as a time is off by up to two seconds, since Date is rounded down.
  private static let less: Seconds = 1
  private static let more: Seconds = 2
  /// Shares of the limit that must be missing: near full and near empty the count says too little.
  private static let telling = 0.05..<0.95
  /// How far Reset must rise: seconds, a share of the period, or a multiple of the width of what the count explains.
  private static let shortestRise: Seconds = 3
  private static let rise = 0.2
  private static let rises = 3.0

  /// The factor by which two estimates of the same period may differ.
  private static let alike = 0.8...1.25
  /// The factor by which more must be missing at the second: one alone may fit by chance.
  private static let farther = 1.25

  /// Takes in one reading. Near full and near empty the count says too little.
  mutating func note(_ reading: RateLimitReading, _ allowance: Allowance) {
    guard let reset = reading.reset, let remaining = reading.remaining else { return }
    let missing = allowance.tokens - Double(remaining)
    // Counts are whole tokens, rounded down.
    let token = 1 / allowance.rate
    let explained = (missing - 1) * token - Self.less...missing * token + Self.more
    guard explained.contains(reset) else {
      (lowest, hasRisen) = (nil, false)
      return
    }
    guard missing > Self.telling.lowerBound * allowance.tokens, missing < Self.telling.upperBound * allowance.tokens
    else { return }
    // In a window, count and Reset agree only by chance, while Reset falls through the range that the count explains.
    let tolerance = token + Self.less + Self.more
    let enough = max(Self.shortestRise, min(Self.rise * allowance.period, Self.rises * tolerance))
    if let lowest, reset - lowest >= enough { hasRisen = true }
    lowest = min(lowest ?? reset, reset)
  }

  /// The period of the bucket that two readings describe, where no reply names it: Reset rises with what is missing,
  /// and one token takes the same time in both.
  mutating func period(of reading: RateLimitReading, limit count: Int) -> Seconds? {
    guard let reset = reading.reset, let remaining = reading.remaining, !isRuledOut else { return nil }
    let missing = Double(count - remaining)
    let atLeast = (reset - Self.more) / max(1, missing)
    slowest = max(slowest, min(atLeast, lastAtLeast))
    lastAtLeast = atLeast
    guard let earlier, missing > earlier.missing, reset >= earlier.reset else {
      earlier = (missing, reset)
      return nil
    }
    let rise = reset - earlier.reset
    let token = rise / (missing - earlier.missing)
    guard rise >= Self.shortestRise, token >= Self.alike.lowerBound * slowest,
      ((missing - 1) * token - Self.less...missing * token + Self.more).contains(reset)
    else {
      seenOnce = nil
      return nil
    }
    let period = UsualPeriod.roughly(Double(count) * token)
    guard let once = seenOnce, Self.alike.contains(once.period / period) else {
      seenOnce = (period, missing)
      return nil
    }
    return missing >= Self.farther * once.missing ? period : nil
  }

  /// The count explained a Reset that rose.
  var isConclusive: Bool { hasRisen && !isRuledOut }

  /// It was mistaken for a bucket.
  mutating func ruleOut() { isRuledOut = true }
}
