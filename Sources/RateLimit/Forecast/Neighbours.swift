// What others in the organisation take of the same budget, and what to leave for them. They cannot be asked; what is
// missing from a window without us is theirs. Left to themselves, clients that take all they see ruin every neighbour:
// simulated, waiting for the reset and bursting refuses nine in ten of a neighbour's requests, this forecast one in a
// hundred, at the same speed for us.

struct Neighbours: Sendable {
  /// Tokens of the current window seen taken: the largest so far, since counts only ever arrive too high.
  private(set) var taken: Double
  /// Their rate now, tokens a second, over a quarter of a period.
  private(set) var rate: Double
  /// The most that was seen taken between two looks at this window.
  private(set) var leap = 0.0
  /// Their rate over their last few tokens: single ones say nothing.
  private(set) var recent = 0.0
  private var recentFrom: (taken: Double, at: Seconds)
  private static let recentTokens = 8.0
  /// Tokens taken in the last whole windows, newest last.
  private(set) var history: [Double] = []
  /// How much the forecast is stretched after it proved too low, 1…4.
  private var caution = 1.0
  private var seenAt: Seconds
  /// Taken before we came.
  private var takenBefore: Double
  /// Since when we watch this window.
  private var watchedFrom: Seconds

  private static let windowsKept = 4
  /// Of every limit this share is left, until the window's last tenth.
  private static let floor = 0.01
  /// How much of the way from their mean to their worst recent window is kept free.
  private static let kindness = 0.7
  /// Never is more than this share of a window yielded to a forecast: two clients that yield to each other meet at half.
  private static let yieldedAtMost = 0.5

  init(taken: Double, elapsed: Seconds, history: [Double] = [], at now: Seconds) {
    self.taken = taken
    rate = taken / max(1, elapsed)
    self.history = history
    takenBefore = taken
    seenAt = now
    recentFrom = (taken, now)
    watchedFrom = now
  }

  /// The most that a recent whole window saw taken.
  var worst: Double { history.max() ?? 0 }

  /// Tokens that they take of a usual window.
  var expected: Double { history.isEmpty ? taken : history.reduce(0, +) / Double(history.count) }

  /// How many times faster than even this window is being used by all together, since we watch it; ours included.
  func pressure(own: Int, allowance: Allowance, now: Seconds) -> Double {
    (taken - takenBefore + Double(own)) / max(0.5, now - watchedFrom) / allowance.rate
  }

  /// The part of all that was taken, since we watch this window, which is ours.
  func share(own: Int) -> Double { Double(own) / max(1, Double(own) + taken - takenBefore) }

  /// Nobody else is about: less than a hundredth of the limit now and in every remembered window.
  func isQuiet(_ allowance: Allowance) -> Bool {
    let few = allowance.tokens * 0.01
    return rate * allowance.period < few && taken < few && worst <= few
  }

  /// - Parameter most: what our own use leaves of the limit: nobody can have taken more, whatever a stale count says.
  mutating func observe(taken seen: Int, most: Int, period: Seconds, now: Seconds) {
    taken = min(taken, Double(most))
    let total = max(taken, Double(seen))
    let elapsed = now - seenAt
    guard elapsed > 0.2 || total > taken else { return }
    let span = max(elapsed, 0.05)
    leap = max(leap, total - taken)
    let weight = 1 - Self.decay(span / max(2, period / 4))
    rate += weight * ((total - taken) / span - rate)
    taken = total
    seenAt = now
    noteRecent(now: now)
  }

  private mutating func noteRecent(now: Seconds) {
    let elapsed = max(0.05, now - recentFrom.at)
    if taken - recentFrom.taken >= Self.recentTokens {
      recent = (taken - recentFrom.taken) / elapsed
      recentFrom = (taken, now)
    } else {
      recent = min(recent, Self.recentTokens / elapsed)
    }
  }

  /// A count proved to be wrong: what was thought taken was not.
  mutating func forget(taken seen: Int) {
    taken = Double(seen)
    rate = 0
  }

  /// They were faster than forecast.
  mutating func beCautious() { caution = min(4, caution * 1.5) }

  mutating func beginWindow(taken seen: Int, limit: Int, elapsed: Seconds, recording: Bool, now: Seconds) {
    if recording { history = history.suffix(Self.windowsKept - 1) + [taken] }
    taken = Double(seen)
    (recent, recentFrom) = (0, (taken, now))
    leap = taken
    // So much at the first look may be the last window's count: it says nothing of how fast they are.
    takenBefore = taken > 0.1 * Double(limit) ? taken : 0
    seenAt = now
    watchedFrom = now - elapsed
    if taken > 0.004 * Double(limit) { rate = max(rate, 0.5 * taken / max(1, elapsed)) }
    caution = max(1, caution * 0.9)
  }

  /// Tokens that they are expected to take until the window ends, with a margin.
  ///
  /// - Parameter left: seconds until the earliest end of the window.
  func forecast(_ allowance: Allowance, left: Seconds) -> Double {
    let left = max(0, left)
    let limit = allowance.tokens
    let expected = rate * left
    // A Poisson stream stays within two deviations of its mean.
    var forecast = expected > 0.2 ? caution * (expected + 2 * expected.squareRoot()) : 0
    if history.count >= 2 {
      // Clumps are not Poisson: what a window as bad as the recent ones would still take.
      let mean = history.reduce(0, +) / Double(history.count)
      let bad = mean + Self.kindness * (worst - mean)
      if bad > 0.01 * limit { forecast = max(forecast, (bad - taken) * min(1, 4 * left / allowance.period)) }
    }
    return max(forecast, Self.floor * limit * min(1, left / (0.1 * allowance.period)))
  }

  /// Tokens that they will want of this window at most, for the question whether all the rest may go at once. Where whole
  /// windows were seen they say more than the rate of the moment: two daemons that finish together both look like a flood.
  func demand(_ allowance: Allowance, left: Seconds) -> Double {
    guard !history.isEmpty else { return forecast(allowance, left: left) }
    return max(0, 1.05 * worst - taken)
  }

  /// Tokens to leave to them until the window ends.
  ///
  /// - Parameter roundTrip: a long one.
  func reserve(_ allowance: Allowance, left: Seconds, roundTrip: Seconds) -> Int {
    let limit = allowance.tokens
    let yielded = min(
      forecast(allowance, left: left) + 0.5, max(0, (1 - Self.yieldedAtMost) * limit - taken))
    return Int(clamping: max(yielded, meanwhile(allowance, roundTrip: roundTrip)))
  }

  /// Tokens that they take while a request of ours is under way. Where one in twenty requests meets one of theirs, the last
  /// token is worth the risk: kept back in every window, it is a window lost in fifty.
  private func meanwhile(_ allowance: Allowance, roundTrip: Seconds) -> Double {
    guard rate * allowance.period > 0.02 * allowance.tokens else { return 0 }
    // Many that are faster than the window lasts are in step with us: what one sees left, all see.
    let met = rate * roundTrip * (rate > 0.5 * allowance.rate ? 4 : 1.5)
    let kept = met < 0.05 ? 0 : met < 0.3 ? 1 : met.rounded(.up) + 1
    return min(kept, 0.1 * allowance.tokens)
  }

  /// e^-x for x ≥ 0 without a mathematics library: (1 + x/1024)^-1024, within 0.1 % where the result matters.
  private static func decay(_ x: Double) -> Double {
    var power = 1 + min(x, 64) / 1_024
    for _ in 0..<10 { power *= power }
    return 1 / power
  }
}
