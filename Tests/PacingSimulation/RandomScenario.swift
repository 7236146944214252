// Scenarios that nobody thought of: every part is drawn at random from a seed.

import Foundation
import RateLimit

extension Scenario {
  /// - Parameter seed: The same seed gives the same scenario.
  package static func random(seed: UInt64) -> Scenario {
    var random = SeededRandom(seed: seed &* 0x9e37 &+ 77)
    return Scenario("R\(seed)", "random") { scenario in
      scenario.limit = Int(exponential(&random, 1, 2_000))
      scenario.period = random.pick([5, 10, 15, 30, 60, 60, 120, 300, 600, 900, 1_800, 3_600])
      scenario.workers = 1 + Int(random.unit() * 64)
      scenario.kind = random.pick([.fixed, .fixed, .fixed, .fixed, .fixed, .fixed, .sliding, .bucket])
      // Four to ten windows, the last one not quite full, so that a single token does not cost a whole window.
      let windows = random.uniform(4, 10).rounded(.down) + random.uniform(0.2, 0.8)
      scenario.keys = min(8_000, max(8, Int(windows * Double(scenario.limit))))
      scenario.hasHeaders = !random.chance(0.1)
      if scenario.kind == .fixed {
        if random.chance(0.5) {
          scenario.neighbour = Neighbour(share: random.uniform(0.05, 0.6), inClumps: random.chance(0.3))
        }
        if random.chance(0.2) { scenario.stale = random.uniform(0.2, 2) }
        if random.chance(0.15) { scenario.lag = random.uniform(0.05, 1) }
        scenario.isAligned = !random.chance(0.15)
      }
      if random.chance(0.2) { scenario.reorder = random.uniform(0.2, 2) }
      if random.chance(0.2) { scenario.headersDropped = random.uniform(0.05, 0.4) }
      if random.chance(0.2) { (scenario.resetForm, scenario.skew) = (.epoch, random.uniform(-400, 400)) }
      if random.chance(0.2) { scenario.retryAfter = random.pick([.seconds, .date]) }
      if random.chance(0.2) { scenario.statesLimit = true }
      scenario.rounding = random.pick([.up, .up, .down, .nearest])
      scenario.latency = exponential(&random, 0.05, 0.6)
      scenario.spikes = random.pick([0, 0.005, 0.05])
      // Few workers may need longer than the windows.
      let work = Double(scenario.keys) * SimulatedNetwork.mean(scenario) / Double(scenario.workers)
      scenario.horizon = max(60 * scenario.period + 3_000, 2 * work)
    }
  }

  private static func exponential(_ random: inout SeededRandom, _ low: Double, _ high: Double) -> Double {
    low * pow(high / low, random.unit())
  }

  /// One line, for a report of what went wrong.
  package var summary: String {
    "\(id) \(kind) \(limit)/\(period) keys \(keys) workers \(workers) headers \(hasHeaders) dropped \(rounded(headersDropped)) "
      + "stale \(rounded(stale)) lag \(rounded(lag)) reorder \(rounded(reorder)) aligned \(isAligned) \(resetForm) "
      + "after \(retryAfter.map { "\($0)" } ?? "-") states \(statesLimit) \(rounding) latency \(rounded(latency)) "
      + "neighbour \(neighbour.map { "\(rounded($0.share))\($0.inClumps ? " clumps" : "")" } ?? "-")"
  }
}

/// One run of a random scenario.
package struct RandomRun: Sendable {
  package let scenario: Scenario
  package let result: SimulationResult

  package init(seed: UInt64) {
    scenario = Scenario.random(seed: seed)
    result = Simulation.keyreg(scenario, seed: seed, checksGate: true)
  }

  /// Did not stall, lost nothing, and respected the gate.
  package var isSound: Bool { result.isDone && result.lost == 0 && result.sentIntoClosedGate == 0 }
}
