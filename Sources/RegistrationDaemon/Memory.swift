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

  /// What an earlier run learned of the rate limits of this endpoint. Those of another are forgotten.
  static func learnedLimits(
    of endpoint: String, from queue: RegistrationQueue, _ log: Logger
  ) throws -> LearnedLimits? {
    // An earlier version did not say where they were from.
    let origin = try recall(String.self, named: learnedFrom, from: queue, log) ?? endpoint
    return origin == endpoint ? try recall(LearnedLimits.self, named: learned, from: queue, log) : nil
  }

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
