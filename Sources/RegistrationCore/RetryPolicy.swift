package import RateLimit

/// How often a key is tried, and how long it waits in between.
package struct RetryPolicy: Sendable, Hashable {
  /// Attempts of a key, including the first; ≥ 1.
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

  /// Exponential backoff with full jitter: uniform between zero and a bound that doubles with each attempt.
  ///
  /// With a first delay of 1 s and a maximum of 300 s, the bounds before attempts 2, 3, 4 … are 1, 2, 4 … 300 s.
  /// - Parameter random: 0..<1.
  package func delay(beforeAttempt attempt: Int, random: Double) -> Seconds {
    let doublings = min(max(attempt - 2, 0), 40)
    return random * min(max(firstDelay, maxDelay), firstDelay * Double(1 << doublings))
  }
}
