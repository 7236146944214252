// How long a request takes: the mean for forecasts, and a long one (the 95th percentile) for margins, since what is sent
// less than a round trip before a window ends may be counted in the next.

struct RoundTrips: Sendable {
  /// Seconds. Assumed half a second until twenty requests say better.
  private(set) var long: Seconds = 0.5
  private(set) var mean: Seconds = 0.25
  private var recent: [Seconds] = []

  private static let sample = 40

  mutating func note(_ duration: Seconds) {
    let duration = max(0, duration)
    mean += (duration - mean) / (recent.isEmpty ? 1 : 16)
    recent.append(duration)
    guard recent.count >= Self.sample else { return }
    long = recent.sorted()[Self.sample * 19 / 20]
    recent.removeFirst(Self.sample / 2)
  }
}
