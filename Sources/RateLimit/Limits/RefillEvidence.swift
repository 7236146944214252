// Whether replies come from a bucket that refills all the time. Its Reset is the time until it is full, so it rises as
// the count falls. In a window it only falls, and the expiry of a sliding count hardly moves while the count is used.

struct RefillEvidence: Sendable {
  /// The lowest Reset of the recent readings that the count explained.
  private var lowest: Seconds?
  private var hasRisen = false
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

  /// The count explained a Reset that rose.
  var isConclusive: Bool { hasRisen && !isRuledOut }

  /// It was taken for a bucket and is not one.
  mutating func ruleOut() { isRuledOut = true }
}
