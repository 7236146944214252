import Foundation
import PacingSimulation

/// The results of random scenarios: none may stall, lose a key or send while the gate is closed.
struct RandomReport {
  private let runs: [RandomRun]

  init(_ seeds: ClosedRange<UInt64>) {
    runs = seeds.map(RandomRun.init).sorted { $0.result.efficiency < $1.result.efficiency }
  }

  var isSound: Bool { runs.allSatisfy(\.isSound) }

  func print(worst: Int) {
    for run in runs where !run.isSound { Swift.print("UNSOUND \(run.scenario.summary)") }
    let told = runs.filter(\.scenario.hasHeaders)
    for (title, runs) in [("with headers", told), ("without", runs.filter { !$0.scenario.hasHeaders })]
    where !runs.isEmpty {
      let refusals = runs.map(\.result.throttledPerThousand).sorted()
      Swift.print(
        "\(runs.count) \(title): efficiency 10th percentile \(rounded(runs[runs.count / 10].result.efficiency)),",
        "median \(rounded(runs[runs.count / 2].result.efficiency)); 429 per 1,000 median",
        "\(rounded(refusals[refusals.count / 2])), 90th percentile \(rounded(refusals[refusals.count * 9 / 10]))")
    }
    for run in told.prefix(worst) {
      Swift.print("\(rounded(run.result.efficiency)) \(run.result.throttled) 429s \(run.scenario.summary)")
    }
  }
}
