package import RateLimit

/// How often a key is tried, and how long it waits in between.
package struct RetryPolicy: Sendable, Hashable {
  /// Attempts of a key, the first among them; ≥ 1.
  package var maxAttempts: Int
  /// Seconds.
  package var firstDelay: Seconds
  /// Seconds.
  package var maxDelay: Seconds

  package init(maxAttempts: Int, firstDelay: Seconds, maxDelay: Seconds) {
    self.maxAttempts = maxAttempts
    self.firstDelay = firstDelay
    self.maxDelay = maxDelay
  }

  /// Exponential backoff with full jitter: evenly between nothing and the bound, which doubles with each attempt.
  ///
  /// With a first delay of 1 s and at most 300 s, the bounds before attempts 2, 3, 4 … are 1, 2, 4 … 300 s.
  /// - Parameter random: 0..<1.
  package func delay(beforeAttempt attempt: Int, random: Double) -> Seconds {
    let doublings = min(max(attempt - 2, 0), 40)
    return random * min(max(firstDelay, maxDelay), firstDelay * Double(1 << doublings))
  }
}

/// A small seeded generator, so that jitter can be replayed. Vigna's SplitMix64 (public domain reference constants).
package struct SplitMix64: RandomNumberGenerator, Sendable {
  private var state: UInt64

  package init(seed: UInt64) {
    state = seed
  }

  package mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var word = state
    word = (word ^ (word >> 30)) &* 0xbf58_476d_1ce4_e5b9
    word = (word ^ (word >> 27)) &* 0x94d0_49bb_1331_11eb
    return word ^ (word >> 31)
  }

  /// 0..<1.
  package mutating func unit() -> Double { Double(next() >> 11) * 0x1p-53 }

  package mutating func between(_ low: Double, _ high: Double) -> Double { low + (high - low) * unit() }
}
