// Servers that show what is left, and neither when more comes nor how long their period is.

import PacingSimulation
import RateLimit
import Testing

@Suite struct PoorScenarioTests {
  /// 450 keys against each kind of limit in three sizes.
  @Test func thePeriodIsLearnedFromWhatComesBack() {
    let runs = Scenario.poorKinds.flatMap { kind in
      ["100/10s", "60/60s", "5/10s"].compactMap { Allowance($0) }.map { limit in
        PoorRun(.count, kind, limit: limit, keys: 450, seed: 11)
      }
    }
    for run in runs {
      #expect(run.result.isDone && run.result.lost == 0, "\(run.kind) \(run.limit)")
      #expect(run.result.throttledPerThousand <= 20, "\(run.kind) \(run.limit)")
    }
    let efficiency = runs.map(\.efficiency).sorted()
    #expect(efficiency[efficiency.count / 2] >= 0.93)
    #expect(efficiency[efficiency.count / 10] >= 0.75)
  }
}
