// Whether replies come from a bucket that refills all the time. There Reset is the time until it is full, so it rises as the
// count falls; in a window it only falls, and the expiry of a sliding count hardly moves while the count is used.

struct RefillEvidence: Sendable {
  /// The lowest Reset of those readings in a row that the count explained.
  private var lowest: Seconds?
  private var hasRisen = false
  private var isRuledOut = false

  /// Seconds by which Reset may be less, and more, than the count explains: it is in whole seconds, rounded in any way, and
  /// one that is written as a time is two seconds off at most, since Date is rounded down.
  private static let less: Seconds = 1
  private static let more: Seconds = 2
  /// Shares of the limit that must be missing, since near full and near empty the count says too little.
  private static let telling = 0.05..<0.95
  /// How far Reset must rise: seconds, a share of the period, or so many times the width of what the count explains.
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
    // In a window, count and Reset agree by chance at most while Reset falls through the width of what is explained.
    let tolerance = token + Self.less + Self.more
    let enough = max(Self.shortestRise, min(Self.rise * allowance.period, Self.rises * tolerance))
    if let lowest, reset - lowest >= enough { hasRisen = true }
    lowest = min(lowest ?? reset, reset)
  }

  /// The count explained a Reset that rose.
  var isConclusive: Bool { hasRisen && !isRuledOut }

  /// It was believed to be one, and was none.
  mutating func ruleOut() { isRuledOut = true }
}
