import Logging
import RateLimit
import Registration
import RegistrationQueue

/// What the queue keeps for the next start, apart from lists and keys.
enum Memory {
  static let pause = "pause"
  static let learned = "rate_limits"
  static let evidence = "rate_limit_evidence"
  /// The base address of the API that they were learned from.
  static let learnedFrom = "rate_limits_from"
  /// The zero of the clock that their instants are on, as a time on the clock that cannot be set.
  static let learnedZero = "rate_limits_zero"
  /// Seconds for which requests are looked up, at least and at most.
  private static let lookedUp: ClosedRange<Seconds> = 3_600...86_400

  /// What an earlier run learned of the rate limits of this endpoint, and how many seconds ago requests were answered
  /// that may still count, the oldest first. What belongs to another endpoint is forgotten.
  static func learnedLimits(
    of endpoint: String, from queue: RegistrationQueue, _ log: Logger
  ) throws -> (limits: LearnedLimits?, sent: [Seconds]) {
    // An earlier version did not say where they were from.
    let origin = try recall(String.self, named: learnedFrom, from: queue, log) ?? endpoint
    guard origin == endpoint else { return (nil, []) }
    let limits = try recall(LearnedLimits.self, named: learned, from: queue, log)
    let zero = try recall(Timestamp.self, named: learnedZero, from: queue, log)
    let longest = limits?.limits.map(\.allowance.period).max() ?? 0
    let sent = try queue.recentReplies(within: max(lookedUp.lowerBound, min(longest, lookedUp.upperBound)))
    return (limits?.moved(by: zero.map { $0.seconds(since: Self.zero(of: queue)) } ?? .nan), sent)
  }

  /// The zero of the monotonic clock, as a time on the clock that cannot be set.
  static func zero(of queue: RegistrationQueue) -> Timestamp { queue.sureTime.adding(seconds: -MonotonicClock.now()) }

  /// The evidence for the limits of this endpoint. That of another is forgotten.
  static func evidence(of endpoint: String, from queue: RegistrationQueue, _ log: Logger) throws -> LimitEvidence {
    if let stored = try recall(LimitEvidence.self, named: evidence, from: queue, log), stored.endpoint == endpoint {
      return stored
    }
    return LimitEvidence(endpoint: endpoint)
  }

  /// What an earlier run stored. If it cannot be read, that is logged, and it is learned again.
  static func recall<Value: Decodable>(
    _ type: Value.Type, named name: String, from queue: RegistrationQueue, _ log: Logger
  ) throws -> Value? {
    try queue.recall(type, named: name) { why in
      log.warning(
        "stored state cannot be read and is ignored",
        metadata: ["name": "\(name)", "detail": "\(PrintableText.escape(why))"])
    }
  }
}
