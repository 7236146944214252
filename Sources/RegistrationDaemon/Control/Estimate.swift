import RateLimit

/// When the open keys will be done. Two things take time: sending what is open, and waiting until the last key that needs
/// another attempt is due.
struct Estimate {
  /// Seconds until all requests are sent; nil when that is not known.
  private(set) var work: Seconds?
  /// Seconds until the last waiting key is done; nil when none waits.
  private(set) var retries: Seconds?
  /// What `work` is based on.
  private var basis: String?

  /// There is nothing to do.
  static let done = Estimate(work: 0)
  /// Nothing is sent, for an unknown time.
  static let unknown = Estimate()

  private init(work: Seconds? = nil) {
    self.work = work
  }

  /// - Parameters:
  ///   - open: Keys without an outcome.
  ///   - waiting: Those of them that are due later.
  ///   - rate: Outcomes per second, lately.
  ///   - lastDue: Seconds until the last waiting key is due.
  ///   - exchange: Seconds that one request takes.
  ///   - opensIn: Seconds until the rate limit allows the next request.
  init(
    _ standing: LimitStanding, open: Int, waiting: Int, rate: Double, lastDue: Seconds?, exchange: Seconds,
    opensIn: Seconds = 0
  ) {
    if let seconds = standing.etaSeconds, seconds.isFinite, standing.limit != nil {
      (work, basis) = (max(seconds, Self.least(standing, open: open)), "rate_limit")
    } else if rate > 0 {
      (work, basis) = (max(Double(open) / rate, opensIn), "throughput")
    } else if waiting == open, lastDue != nil {
      work = 0
    }
    retries = waiting > 0 ? lastDue.map { $0 + exchange } : nil
  }

  /// Whole seconds, rounded up.
  var seconds: Int? {
    work.map { Int(min(max($0, retries ?? 0), 1e9).rounded(.up)) }
  }

  /// What `seconds` is based on.
  var source: String? {
    guard let work else { return nil }
    return (retries ?? 0) > work ? "retries" : basis
  }

  /// Seconds that the limit needs at least for the open keys, whether it is restored all at once or bit by bit.
  private static func least(_ standing: LimitStanding, open: Int) -> Seconds {
    guard let limit = standing.limit, limit > 0, let period = standing.period else { return 0 }
    let rest = open - min(limit, max(0, standing.remaining ?? limit))
    guard rest > 0 else { return 0 }
    let atOnce = max(0, standing.resetsIn ?? 0) + Double((rest - 1) / limit) * period
    return min(atOnce, Double(rest) / Double(limit) * period)
  }
}
