// Random situations: none may stall, lose a key or send into a closed gate, and with headers nearly all are used well.
// A thousand take `swift run -c release pacing-report --random 1001...2000`.

import PacingSimulation
import Testing

@Suite struct RandomScenarioTests {
  @Test func useTheAllowanceWhateverTheServerIsLike() {
    let runs = (1...100).map { RandomRun(seed: $0) }
    for run in runs { #expect(run.isSound, "stalled, lost a key or ignored the gate: \(run.scenario.summary)") }
    let told = runs.filter(\.scenario.hasHeaders).sorted { $0.result.efficiency < $1.result.efficiency }
    #expect(told[told.count / 10].result.efficiency >= 0.93)
    let plain = told.filter(\.scenario.isPlain)
    #expect(plain[plain.count / 10].result.efficiency >= 0.98)
  }
}

extension Scenario {
  /// The documented kind of limit with nobody else about.
  fileprivate var isPlain: Bool { kind == .fixed && period >= 30 && neighbour == nil }
}
