import Foundation
import PacingSimulation

/// What the pacer reaches where replies tell little: a row for each part of the headers and length of the list.
struct PoorReport {
  private let runs: [PoorRun]

  private static let keys = [450, 1_500]

  init(_ seeds: ClosedRange<UInt64>) {
    runs = Scenario.Telling.allCases.flatMap { telling in
      Self.keys.flatMap { keys in
        Scenario.poorKinds.flatMap { kind in
          Scenario.poorLimits.flatMap { limit in
            seeds.map { PoorRun(telling, kind, limit: limit, keys: keys, seed: $0) }
          }
        }
      }
    }
  }

  var isSound: Bool { runs.allSatisfy { $0.result.isDone && $0.result.lost == 0 } }

  func print(worst: Int) {
    Swift.print("replies tell          keys  efficiency median, 10th percentile  429/1000 median, 90th percentile")
    for telling in Scenario.Telling.allCases {
      for keys in Self.keys {
        let chosen = runs.filter { $0.telling == telling && $0.scenario.keys == keys }
        let efficiency = chosen.map(\.efficiency).sorted()
        let refusals = chosen.map(\.result.throttledPerThousand).sorted()
        Swift.print(
          telling.rawValue.padding(toLength: 20, withPad: " ", startingAt: 0),
          String(
            format: "%5d  %17.3f %16.3f  %15.1f %16.1f", keys, efficiency[efficiency.count / 2],
            efficiency[efficiency.count / 10], refusals[refusals.count / 2], refusals[refusals.count * 9 / 10]))
      }
    }
    for run in runs.sorted(by: { $0.efficiency < $1.efficiency }).prefix(worst) {
      Swift.print(
        rounded(run.efficiency), run.result.throttled, "429s", run.telling.rawValue, run.kind, run.limit,
        run.scenario.keys, "keys", run.scenario.id)
    }
  }
}
