// What other clients of the organisation take from the same budget, and what to leave for them. They cannot be asked:
// what is missing from a window and was not used by us is theirs. A client that takes all that is left starves the others:
// in simulation, a burst at each reset gets nine in ten of a neighbour's requests refused; with this forecast it is one
// in a hundred, at the same speed for us.

struct Neighbours: Sendable {
  /// Tokens that others took from the current window: the largest number so far, since counts only ever arrive too
  /// high.
  private(set) var taken: Double
  /// Their rate now, tokens a second, over a quarter of a period.
  private(set) var rate: Double
  /// The maximum taken between two looks at this window.
  private(set) var leap = 0.0
  /// Their rate over their last few tokens; single ones mean nothing.
  private(set) var recent = 0.0
  private var recentFrom: (taken: Double, at: Seconds)
  /// Tokens taken in the last whole windows, newest last.
  private(set) var history: [Double] = []
  /// How much the forecast is stretched after it proved too low, 1…4.
  private var caution = 1.0
  private var seenAt: Seconds
  /// Taken before we came, if it was most of the window.
  private var earlier: Double
  /// Taken before we started.
  private var takenBefore: Double
  /// Since when we have watched this window.
  private var watchedFrom: Seconds

  /// Tokens over which `recent` is measured.
  private static let recentTokens = 8.0  // T08
  static let windowsKept = 4  // S08
  /// Whole windows that must be known before bursts are forecast from them.
  private static let windowsForBursts = 2
  /// Others that take less than this share of the limit in a period do not count as present.
  private static let quiet = 0.01  // T06, T08, T09
  /// Seconds between two looks that are worth comparing, and the shortest time over which a rate is measured.
  private static let shortestLook: Seconds = 0.2
  private static let shortestSpan: Seconds = 0.05  // T09
  /// The share of a period over which their rate is averaged, and a minimum in seconds.
  private static let memory = 0.25  // S08, T06, T08, T09
  private static let shortestMemory: Seconds = 2
  /// How much a forecast that proved too low is stretched, the maximum, and how much of it each further window keeps.
  private static let cautionGrowth = 1.5
  private static let cautionAtMost = 4.0
  private static let cautionKept = 0.9  // S06, S07, S08
  /// A share of the limit that, at the first look at a window, may be what was left of the last one.
  private static let suspicious = 0.1  // T09
  /// More than this share of the limit at the very first look may have been taken in one rush.
  private static let mostly = 0.5
  /// A share of the limit that, at the first look at a window, shows a rate; and how much of that rate is believed.
  private static let telling = 0.004
  private static let believed = 0.5  // T09
  /// Seconds for which a window must be watched before pressure and rates are measured.
  private static let shortestWatch: Seconds = 0.5  // T08, T09
  private static let shortestWindow: Seconds = 1  // T09
  /// Below this number of expected tokens, nothing is kept for them.
  private static let negligible = 0.2  // T06
  /// Standard deviations within which a Poisson stream stays.
  private static let deviations = 2.0  // T06, T08
  /// What a bad window takes is kept free until this share of the window is left, then ever less.
  private static let badUntil = 0.25
  /// The last share of a window, in which the minimum reserve falls to nothing.
  private static let lastShare = 0.1
  /// How much more than in their worst window they may want.
  private static let demandMargin = 1.05  // S08, S26, T06, T09
  /// Half a token, so that the forecast is rounded to the nearest.
  private static let half = 0.5  // T05, T06, T09
  /// This share of every limit is left, until the last tenth of the window.
  private static let floor = 0.01
  /// The part of the difference between their mean and their worst recent window that is kept free.
  private static let burstMargin = 0.7
  /// A forecast never takes more than this share of a window: two clients that yield to each other meet at half.
  private static let yieldedAtMost = 0.5  // S07, S08, S09, S26

  /// The very first look at a window. When most of it was taken before, that says little about who is active: it may
  /// have been one rush.
  init(taken: Double, of limit: Int, elapsed: Seconds, history: [Double] = [], at now: Seconds) {
    self.taken = taken
    earlier = taken > Self.mostly * Double(limit) ? taken : 0
    rate = (taken - earlier) / max(Self.shortestWindow, elapsed)
    self.history = history
    takenBefore = taken
    seenAt = now
    recentFrom = (taken, now)
    watchedFrom = now
  }

  /// Maximum that others took in a recent whole window.
  var worst: Double { history.max() ?? 0 }

  /// Tokens that they take from a typical window.
  var expected: Double { history.isEmpty ? taken : history.reduce(0, +) / Double(history.count) }

  /// What others took from this window, without what they took in a rush before we came.
  var takenByPresent: Double { taken - earlier }

  /// How many times faster than evenly this window is being used by everyone, including us, since we have watched it.
  func pressure(own: Int, allowance: Allowance, now: Seconds) -> Double {
    (taken - takenBefore + Double(own)) / max(Self.shortestWatch, now - watchedFrom) / allowance.rate
  }

  /// Our part of everything that was taken since we have watched this window.
  func share(own: Int) -> Double { Double(own) / max(1, Double(own) + taken - takenBefore) }

  /// Nobody else is present: less than a hundredth of the limit now and in every remembered window.
  func isQuiet(_ allowance: Allowance) -> Bool {
    let few = allowance.tokens * Self.quiet
    return rate * allowance.period < few && taken < few && worst <= few
  }

  /// - Parameter most: What our own use leaves of the limit. Others cannot have taken more, whatever a stale count
  ///   says.
  mutating func observe(taken seen: Int, most: Int, period: Seconds, now: Seconds) {
    taken = min(taken, Double(most))
    let total = max(taken, Double(seen))
    let elapsed = now - seenAt
    guard elapsed > Self.shortestLook || total > taken else { return }
    let span = max(elapsed, Self.shortestSpan)
    leap = max(leap, total - taken)
    let weight = 1 - Self.decay(span / max(Self.shortestMemory, period * Self.memory))
    rate += weight * ((total - taken) / span - rate)
    taken = total
    seenAt = now
    noteRecent(now: now)
  }

  private mutating func noteRecent(now: Seconds) {
    let elapsed = max(Self.shortestSpan, now - recentFrom.at)
    if taken - recentFrom.taken >= Self.recentTokens {
      recent = (taken - recentFrom.taken) / elapsed
      recentFrom = (taken, now)
    } else {
      recent = min(recent, Self.recentTokens / elapsed)
    }
  }

  /// A count proved wrong: what seemed taken was not.
  mutating func forget(taken seen: Int) {
    taken = Double(seen)
    earlier = min(earlier, taken)
    rate = 0
  }

  /// They were faster than the forecast.
  mutating func beCautious() { caution = min(Self.cautionAtMost, caution * Self.cautionGrowth) }

  mutating func beginWindow(taken seen: Int, limit: Int, elapsed: Seconds, recording: Bool, now: Seconds) {
    if recording { history = history.suffix(Self.windowsKept - 1) + [taken] }
    taken = Double(seen)
    earlier = 0
    (recent, recentFrom) = (0, (taken, now))
    leap = taken
    // This much at the first look may be the last window's count, and says nothing about their rate.
    takenBefore = taken > Self.suspicious * Double(limit) ? taken : 0
    seenAt = now
    watchedFrom = now - elapsed
    if taken > Self.telling * Double(limit) {
      rate = max(rate, Self.believed * taken / max(Self.shortestWindow, elapsed))
    }
    caution = max(1, caution * Self.cautionKept)
  }

  /// Tokens that they are expected to take until the window ends, with a margin.
  ///
  /// - Parameter left: Seconds until the earliest end of the window.
  func forecast(_ allowance: Allowance, left: Seconds) -> Double {
    let left = max(0, left)
    let limit = allowance.tokens
    let expected = rate * left
    // A Poisson stream stays within two deviations of its mean.
    var forecast = expected > Self.negligible ? caution * (expected + Self.deviations * expected.squareRoot()) : 0
    if history.count >= Self.windowsForBursts {
      // Bursts are not Poisson: this is what a window as bad as the recent ones would still take.
      let mean = history.reduce(0, +) / Double(history.count)
      let bad = mean + Self.burstMargin * (worst - mean)
      if bad > Self.quiet * limit {
        forecast = max(forecast, (bad - taken) * min(1, left / allowance.period / Self.badUntil))
      }
    }
    return max(forecast, Self.floor * limit * min(1, left / (Self.lastShare * allowance.period)))
  }

  /// Maximum tokens that they will want from this window, to decide whether all the rest may be sent at once. Past
  /// whole windows say more than the current rate: two daemons that finish together both look like a flood.
  func demand(_ allowance: Allowance, left: Seconds) -> Double {
    guard !history.isEmpty else { return forecast(allowance, left: left) }
    return max(0, Self.demandMargin * worst - taken)
  }

  /// Tokens to leave to them until the window ends.
  ///
  /// - Parameter roundTrip: A long one.
  func reserve(_ allowance: Allowance, left: Seconds, roundTrip: Seconds) -> Int {
    let limit = allowance.tokens
    let yielded = min(forecast(allowance, left: left) + Self.half, max(0, (1 - Self.yieldedAtMost) * limit - taken))
    return Int(clamping: max(yielded, meanwhile(allowance, roundTrip: roundTrip)))
  }

  /// Nothing is kept for the duration of a round trip while they take less than this share of the limit in a period.
  private static let noticed = 0.02
  /// The share of the even rate above which many clients are in step with us: all see the same tokens left.
  private static let inStep = 0.5  // T08, T09
  /// Long round trips for which something is kept for them, and the same when they are in step.
  private static let roundTrips = 1.5  // T09
  private static let roundTripsInStep = 4.0  // S08, T09
  /// Tokens of theirs per request of ours: below the first number none is kept back, below the second one.
  private static let seldomMet = 0.05
  private static let onceMet = 0.3
  /// The largest share of the limit that is kept for that.
  private static let metAtMost = 0.1  // T05, T09

  /// Tokens that they take while a request of ours is in flight. Where one in twenty requests meets one of theirs, the
  /// last token is worth the risk: kept back in every window, it costs one window in fifty.
  private func meanwhile(_ allowance: Allowance, roundTrip: Seconds) -> Double {
    guard rate * allowance.period > Self.noticed * allowance.tokens else { return 0 }
    let isInStep = rate > Self.inStep * allowance.rate
    let met = rate * roundTrip * (isInStep ? Self.roundTripsInStep : Self.roundTrips)
    let kept = met < Self.seldomMet ? 0 : met < Self.onceMet ? 1 : met.rounded(.up) + 1
    return min(kept, Self.metAtMost * allowance.tokens)
  }

  /// e^-x for x ≥ 0 without a maths library: (1 + x/1024)^-1024, within 0.1 % where the result matters.
  private static func decay(_ x: Double) -> Double {
    var power = 1 + min(x, 64) / 1_024
    for _ in 0..<10 { power *= power }
    return 1 / power
  }
}
