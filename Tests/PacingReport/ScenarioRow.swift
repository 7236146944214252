import Foundation
import PacingSimulation

/// One line of the table: what the pacer reached in one scenario, and what others reach there.
struct ScenarioRow {
  let scenario: Scenario
  let ours: Summary
  let others: [Summary]

  init(_ scenario: Scenario, seeds: ClosedRange<UInt64>, baselines: Bool) {
    self.scenario = scenario
    ours = Summary(runs: seeds.map { Simulation.keyreg(scenario, seed: $0) })
    let clients: [@Sendable () -> any SimulatedClient] = baselines ? [{ VendorClient() }, { NaiveClient() }] : []
    others = clients.map { client in
      Summary(runs: seeds.map { Simulation(scenario, seed: $0) { _, _ in client() }.run() })
    }
  }

  /// Levels that were missed, in words.
  var missed: [String] { ours.missed(scenario.levels) }

  static func heading(baselines: Bool) -> String {
    line(
      [
        "", "optimum s", "efficiency", "429/1000", "harm %", "use", "reset 1s", "fair", "herd", "lost",
      ] + (baselines ? ["vendor: eff 429 harm", "naive: eff 429 harm"] : []), "situation; missed levels")
  }

  var text: String {
    let number = { (value: Double, places: Int) in String(format: "%.\(places)f", value) }
    let columns = [
      scenario.id, number(ours.mean(\.optimum), 1), number(ours.efficiency, 3), number(ours.throttled, 2),
      scenario.neighbour == nil ? "" : number(ours.harm, 2), ours.use.map { number($0, 3) } ?? "",
      scenario.kind == .fixed ? "\(ours.firstSecond)" : "", ours.fairness.map { number($0, 3) } ?? "", "\(ours.herd)",
      "\(ours.runs.reduce(0) { $0 + $1.lost })",
    ]
    let compared = others.map { other in
      "\(number(other.efficiency, 3)) \(number(other.throttled, 1))"
        + (scenario.neighbour == nil ? "" : " \(number(other.harm, 1))")
    }
    let title = scenario.title + (missed.isEmpty ? "" : "; MISSED " + missed.joined(separator: ", "))
    return Self.line(columns + compared, title)
  }

  private static func line(_ columns: [String], _ title: String) -> String {
    let widths = [4, 9, 10, 8, 6, 6, 8, 6, 5, 5, 22, 22]
    let cells = zip(columns, widths).map { String(repeating: " ", count: max(0, $1 - $0.count)) + $0 }
    return cells.joined(separator: " ") + "  " + title
  }
}
