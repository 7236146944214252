// Servers that show what is left, and neither when more comes nor how long their period is.

import PacingSimulation
import RateLimit
import Testing

@Suite struct PoorScenarioTests {
  /// Each kind of limit in three sizes.
  private func runs(_ keys: Int) -> [PoorRun] {
    Scenario.poorKinds.flatMap { kind in
      ["100/10s", "60/60s", "5/10s"].compactMap { Allowance($0) }.map { limit in
        PoorRun(.count, kind, limit: limit, keys: keys, seed: 11)
      }
    }
  }

  @Test func thePeriodIsLearnedFromWhatComesBack() {
    let runs = runs(450)
    for run in runs {
      #expect(run.result.isDone && run.result.lost == 0, "\(run.kind) \(run.limit)")
      // A search costs about ten. In ninety windows of five there may be a second one.
      #expect(run.result.throttled <= (run.limit.count < 10 ? 16 : 12), "\(run.kind) \(run.limit)")
    }
    let efficiency = runs.map(\.efficiency).sorted()
    #expect(efficiency[efficiency.count / 2] >= 0.93)
    #expect(efficiency[efficiency.count / 10] >= 0.75)
  }

  @Test func inALongerJobOneInAHundredIsRefused() {
    for run in runs(1_500) {
      #expect(run.result.isDone && run.result.lost == 0, "\(run.kind) \(run.limit)")
      #expect(run.result.throttledPerThousand <= 10, "\(run.kind) \(run.limit)")
    }
  }
}
