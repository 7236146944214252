package import RateLimit

/// Outcomes per second over the time in which work was possible in the last minute. Waiting for the rate limit counts as
/// such time: it is part of how fast work goes. A pause, a hold, and having nothing to do do not.
package struct Throughput: Sendable {
  private struct Second {
    var outcomes = 0
    /// How much of it work was possible.
    var possible: Seconds = 0
  }

  private static let window = 60

  /// By second on the monotonic clock.
  private var seconds: [Int: Second] = [:]

  package init() {}

  /// The outcome of `count` keys became known.
  package mutating func settled(_ count: Int, now: Seconds) {
    guard count > 0 else { return }
    seconds[Int(now), default: Second()].outcomes += count
    trim(now)
  }

  /// Work was possible from `start` to `end`.
  package mutating func worked(from start: Seconds, to end: Seconds) {
    var time = max(start, end - Double(Self.window))
    while time < end {
      let second = Int(time)
      let next = min(end, Double(second + 1))
      seconds[second, default: Second()].possible += next - time
      time = next
    }
    trim(end)
  }

  /// 0 when no outcome became known. Less than a second of work counts as one.
  package func perSecond(now: Seconds) -> Double {
    let oldest = Int(now) - Self.window
    var outcomes = 0
    var possible: Seconds = 0
    for (second, value) in seconds where second > oldest {
      outcomes += value.outcomes
      possible += value.possible
    }
    return Double(outcomes) / max(1, possible)
  }

  private mutating func trim(_ now: Seconds) {
    guard seconds.count > 2 * Self.window else { return }
    let oldest = Int(now) - Self.window
    seconds = seconds.filter { $0.key > oldest }
  }
}
