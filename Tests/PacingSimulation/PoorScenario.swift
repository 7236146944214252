// Servers that reveal little of their limit: every kind of limit, in six sizes, with some of the headers or none.

package import RateLimit

extension Scenario {
  /// What the replies show.
  package enum Telling: String, CaseIterable, Sendable {
    case nothing = "nothing"
    case retryAfter = "Retry-After on 429"
    case count = "Limit, Remaining"
    case reset = "the same, Reset"
    case oddReset = "one odd Reset"
  }

  /// The limits to test.
  package static let poorLimits = ["100/10s", "60/60s", "10/1s", "5/10s", "1000/1h", "400/1h"].compactMap {
    Allowance($0)
  }

  package static let poorKinds: [(name: String, kind: Kind, isAligned: Bool)] = [
    ("aligned", .fixed, true), ("shifted", .fixed, false), ("anchored", .anchored, true), ("log", .sliding, true),
    ("counter", .counter, true), ("bucket", .bucket, true), ("truncating", .truncating, true),
  ]

  private static let oddResets: [Seconds] = [86_400, 3_000, 61]

  /// - Parameter seed: Of the run; decides which odd Reset comes.
  package static func poor(
    _ telling: Telling, kind: Kind, isAligned: Bool, limit: Allowance, keys: Int, seed: UInt64
  ) -> Scenario {
    Scenario("P\(seed)", telling.rawValue) {
      ($0.kind, $0.isAligned, $0.limit, $0.period, $0.keys) = (kind, isAligned, limit.count, limit.period, keys)
      // Of what is left to others nothing can be used.
      ($0.workers, $0.latency, $0.reserve) = (16, 0.06, .share(0))
      $0.hasHeaders = telling != .nothing && telling != .retryAfter
      $0.retryAfter = telling == .retryAfter ? .seconds : nil
      $0.tellsPeriod = false
      $0.tellsReset = telling != .count
      if telling == .reset { $0.resetForm = .epoch }
      if telling == .oddReset { $0.oddReset = (30, oddResets[Int(seed % UInt64(oddResets.count))]) }
      $0.horizon = 20 * (limit.period + Double(keys) * limit.period / Double(limit.count))
    }
  }
}

/// One run against such a server.
package struct PoorRun: Sendable {
  package let telling: Scenario.Telling
  package let kind: String
  package let limit: Allowance
  package let scenario: Scenario
  package let result: SimulationResult

  /// Seconds beyond the optimum that are allowed for a job too small to reach its limit: an unknown limit is approached
  /// step by step.
  private static let allowed: Seconds = 5

  package init(
    _ telling: Scenario.Telling, _ kind: (name: String, kind: Scenario.Kind, isAligned: Bool), limit: Allowance,
    keys: Int, seed: UInt64
  ) {
    self.telling = telling
    self.kind = kind.name
    self.limit = limit
    scenario = Scenario.poor(
      telling, kind: kind.kind, isAligned: kind.isAligned, limit: limit, keys: keys, seed: seed)
    result = Simulation.keyreg(scenario, seed: seed)
  }

  package var efficiency: Double {
    guard result.isDone, scenario.keys <= scenario.limit else { return result.efficiency }
    return min(1, (result.optimum + Self.allowed) / result.time)
  }
}
