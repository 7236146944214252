// The whole table, for people: KEYREG_PACING_REPORT=1 swift test --filter PacingReport. KEYREG_PACING_SEEDS=10 and
// KEYREG_PACING_SCENARIOS=S01,S06 choose what is run.

import Foundation
import RateLimit
import Testing

@Suite(.enabled(if: ProcessInfo.processInfo.environment["KEYREG_PACING_REPORT"] == "1"))
struct PacingReport {
  @Test func table() {
    let environment = ProcessInfo.processInfo.environment
    let seeds = UInt64(environment["KEYREG_PACING_SEEDS"] ?? "") ?? 5
    let chosen = environment["KEYREG_PACING_SCENARIOS"].map { Set($0.split(separator: ",").map(String.init)) }
    let baselines = environment["KEYREG_PACING_BASELINES"] != "0"
    print("id   | optimum | eff 429/1000 harm% use reset1s fair herd dropped | vendor | naive | missed | scenario")
    for scenario in Scenario.all + Scenario.further where chosen?.contains(scenario.id) ?? true {
      let ours = Summary(runs: (1...seeds).map { Simulation.keyreg(scenario, seed: $0) })
      var columns = [
        scenario.id, "\(rounded(ours.mean(\.optimum)))",
        "\(rounded(ours.efficiency)) \(rounded(ours.throttled)) \(rounded(ours.harm)) \(ours.use.map(rounded) ?? 0) "
          + "\(ours.firstSecond) \(ours.fairness.map(rounded) ?? 1) \(ours.herd) \(rounded(ours.mean { Double($0.dropped) }))",
      ]
      if baselines {
        let baselines: [@Sendable () -> any SimulatedClient] = [{ VendorClient() }, { NaiveClient() }]
        for baseline in baselines {
          let theirs = Summary(runs: (1...seeds).map { Simulation(scenario, seed: $0) { _, _ in baseline() }.run() })
          columns.append("\(rounded(theirs.efficiency)) \(rounded(theirs.throttled)) \(rounded(theirs.harm))")
        }
      }
      columns.append(ours.missed(scenario.levels).joined(separator: "; "))
      columns.append(scenario.title)
      print(columns.joined(separator: " | "))
      fflush(nil)
    }
  }
}
