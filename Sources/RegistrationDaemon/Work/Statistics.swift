import Histogram
package import RateLimit
package import Registration
package import RegistrationAPI

/// What was sent and what came back since the start, for status and metrics.
package struct Statistics: Sendable {
  /// Requests that left and are over. What never left (nobody listens, no such host) is in `transportErrors` alone.
  package private(set) var sent = 0
  package private(set) var created = 0
  package private(set) var throttled = 0
  package private(set) var clientErrors = 0
  package private(set) var serverErrors = 0
  package private(set) var transportErrors = 0
  /// When a key was last registered.
  package private(set) var lastSuccessAt: Timestamp?
  /// Replies by status; 0 stands for requests that were sent and got none.
  package private(set) var byStatus: [Int: Int] = [:]
  /// Upper bounds of the duration buckets, in seconds.
  package static let bounds: [Seconds] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30]
  /// Requests in each bucket, not cumulative; the last is beyond the last bound.
  package private(set) var buckets = [Int](repeating: 0, count: Statistics.bounds.count + 1)
  package private(set) var totalDuration: Seconds = 0
  /// Seconds spent waiting, by reason.
  package private(set) var waited: [String: Seconds] = [:]

  private var latency = Histogram<UInt64>(
    lowestDiscernibleValue: 1, highestTrackableValue: 3_600_000, numberOfSignificantValueDigits: .two)
  /// Keys settled in each of the last seconds, by second of the monotonic clock.
  private var settled: [Int: Int] = [:]
  private var start: Seconds

  package init(now: Seconds) {
    start = now
  }

  package mutating func received(_ exchange: Exchange, at wall: Timestamp) {
    if case .registered = exchange.verdict { lastSuccessAt = wall }
    if exchange.wasSent {
      sent += 1
      byStatus[exchange.status ?? 0, default: 0] += 1
    }
    guard let status = exchange.status else {
      transportErrors += 1
      return
    }
    switch status {
    case 429: throttled += 1
    case 400..<500: clientErrors += 1
    default:
      // A redirect, or a success of something else, is the server's error as well: every reply is counted once.
      if case .registered = exchange.verdict { created += 1 } else { serverErrors += 1 }
    }
    latency.record(UInt64(max(0, min(exchange.duration * 1_000, 3_600_000)).rounded()))
    buckets[Self.bounds.firstIndex { exchange.duration <= $0 } ?? Self.bounds.count] += 1
    totalDuration += exchange.duration
  }

  package mutating func waited(_ seconds: Seconds, for reason: String) {
    waited[reason, default: 0] += seconds
  }

  /// The outcome of `count` keys became known.
  package mutating func settled(_ count: Int, now: Seconds) {
    guard count > 0 else { return }
    settled[Int(now), default: 0] += count
    if settled.count > 128 {
      let oldest = Int(now) - Self.rateWindow
      settled = settled.filter { $0.key >= oldest }
    }
  }

  private static let rateWindow = 60

  /// Outcomes a second over the last minute, or since the start when that is less.
  package func perSecond(now: Seconds) -> Double {
    let oldest = Int(now) - Self.rateWindow
    let count = settled.reduce(0) { $1.key > oldest ? $0 + $1.value : $0 }
    return Double(count) / max(1, min(Double(Self.rateWindow), now - start))
  }

  package var hasLatency: Bool { latency.totalCount > 0 }

  /// Milliseconds within which `percentile` per cent of the replies came.
  package func latency(percentile: Double) -> Int {
    hasLatency ? Int(latency.valueAtPercentile(percentile)) : 0
  }

  package var slowest: Int { hasLatency ? Int(latency.max) : 0 }
}
