// Random situations: none may stall, lose a key or send into a closed gate, and with headers nearly all are used well.
// KEYREG_PACING_REPORT=1 runs a thousand, KEYREG_PACING_RANDOM=from…to others, and prints the worst.

import Foundation
import RateLimit
import Testing

@Suite struct RandomScenarioTests {
  @Test func useTheAllowanceWhateverTheServerIsLike() {
    check(1...60)
  }

  @Test(.enabled(if: ProcessInfo.processInfo.environment["KEYREG_PACING_REPORT"] == "1"))
  func aThousandOfThem() throws {
    let range = ProcessInfo.processInfo.environment["KEYREG_PACING_RANDOM"] ?? "1001…2000"
    let bounds = range.split(separator: "…").compactMap { UInt64($0) }
    let (first, last) = (try #require(bounds.first), try #require(bounds.last))
    report(check(first...last))
  }

  /// - Returns: the runs with headers, the least efficient first.
  @discardableResult
  private func check(_ seeds: ClosedRange<UInt64>) -> [Run] {
    var runs: [Run] = []
    for seed in seeds {
      let scenario = Scenario.random(seed: seed)
      let result = Simulation.keyreg(scenario, seed: seed, checksGate: true)
      #expect(result.isDone, "stalled: \(scenario.summary)")
      #expect(result.lost == 0, "lost a key: \(scenario.summary)")
      #expect(result.sentIntoClosedGate == 0, "sent into a closed gate: \(scenario.summary)")
      if scenario.hasHeaders { runs.append(Run(scenario: scenario, result: result)) }
    }
    runs.sort { $0.result.efficiency < $1.result.efficiency }
    // The goal is 0.95. What is short of it are windows of a few seconds whose one probe meets a slow reply, and limits of
    // a few requests, where one token is a window.
    #expect(tenth(runs) >= 0.91)
    #expect(tenth(runs.filter { $0.scenario.isPlain }) >= 0.98)
    return runs
  }

  private func tenth(_ runs: [Run]) -> Double { runs.isEmpty ? 1 : runs[runs.count / 10].result.efficiency }

  private func report(_ runs: [Run]) {
    let refusals = runs.map(\.result.throttledPerThousand).sorted()
    print(
      "| \(runs.count) with headers: efficiency p10 \(rounded(tenth(runs)))",
      "(plain windows \(rounded(tenth(runs.filter { $0.scenario.isPlain })))),",
      "median \(rounded(runs[runs.count / 2].result.efficiency)),",
      "429 per 1,000 median \(rounded(refusals[refusals.count / 2])) p90 \(rounded(refusals[refusals.count * 9 / 10]))")
    for run in runs.prefix(60) {
      print("| \(rounded(run.result.efficiency)) \(run.result.throttled) 429s \(run.scenario.summary)")
    }
  }
}

private struct Run {
  var scenario: Scenario
  var result: SimulationResult
}

extension Scenario {
  /// The documented kind of limit with nobody else about.
  fileprivate var isPlain: Bool { kind == .fixed && period >= 30 && neighbour == nil }
}
