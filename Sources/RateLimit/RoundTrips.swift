// How long a request takes: the mean for forecasts, and a long one (the 95th percentile) for margins, since a request
// sent less than a round trip before the end of a window may be counted in the next.

struct RoundTrips: Sendable {
  /// Seconds. Half a second is assumed until forty requests were measured. That is longer than most take: a margin that is
  /// too short costs a refusal, one that is too long only the end of the first window.
  private(set) var long: Seconds = 0.5
  /// Seconds. The first request replaces the assumption.
  private(set) var mean: Seconds = 0.25
  private var recent: [Seconds] = []

  /// `long` is measured after this many requests, and again after every half as many.
  static let sample = 40
  /// Of a sample, this many in a hundred are no longer than `long`.
  private static let percentile = 95
  /// Each request moves the mean by this part of the difference, so it follows a change of speed within some ten requests.
  private static let weight = 1.0 / 16

  mutating func note(_ duration: Seconds) {
    let duration = max(0, duration)
    mean += (duration - mean) * (recent.isEmpty ? 1 : Self.weight)
    recent.append(duration)
    guard recent.count >= Self.sample else { return }
    long = recent.sorted()[Self.sample * Self.percentile / 100]
    recent.removeFirst(Self.sample / 2)
  }
}
