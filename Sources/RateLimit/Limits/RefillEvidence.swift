// Whether replies come from a bucket that refills all the time. There Reset is the time until it is full, so it rises as the
// count falls; in a window it only falls, and the expiry of a sliding count hardly moves while the count is used.

struct RefillEvidence: Sendable {
  /// The lowest Reset of those readings in a row that the count explained.
  private var lowest: Seconds?
  private var hasRisen = false
  private var isRuledOut = false

  /// Takes in one reading. Near full and near empty the count says too little.
  mutating func note(_ reading: RateLimitReading, _ allowance: Allowance) {
    guard let reset = reading.reset, let remaining = reading.remaining else { return }
    let missing = allowance.tokens - Double(remaining)
    // Counts are whole tokens, rounded down. Reset is in whole seconds, rounded in any way, and one that is written as a
    // time is two seconds off at most, since Date is rounded down.
    let token = 1 / allowance.rate
    let explained = (missing - 1) * token - 1...missing * token + 2
    guard explained.contains(reset) else {
      (lowest, hasRisen) = (nil, false)
      return
    }
    guard missing > 0.05 * allowance.tokens, missing < 0.95 * allowance.tokens else { return }
    // In a window, count and Reset agree by chance at most while Reset falls through the width of what is explained.
    let tolerance = token + 3
    let enough = max(3, min(0.2 * allowance.period, 3 * tolerance))
    if let lowest, reset - lowest >= enough { hasRisen = true }
    lowest = min(lowest ?? reset, reset)
  }

  /// The count explained a Reset that rose.
  var isConclusive: Bool { hasRisen && !isRuledOut }

  /// It was believed to be one, and was none.
  mutating func ruleOut() { isRuledOut = true }
}
