// Random situations: none may stall, lose a key or send into a closed gate, and with headers nearly all are used well.
// A thousand take `swift run -c release pacing-report --random 1001...2000`.

import PacingSimulation
import Testing

@Suite struct RandomScenarioTests {
  @Test func useTheAllowanceWhateverTheServerIsLike() {
    let runs = (1...100).map { RandomRun(seed: $0) }
    for run in runs { #expect(run.isSound, "stalled, lost a key or ignored the gate: \(run.scenario.summary)") }
    let told = runs.filter(\.scenario.hasHeaders).sorted { $0.result.efficiency < $1.result.efficiency }
    #expect(told[told.count / 10].result.efficiency >= 0.95)
    let plain = told.filter(\.scenario.isPlain)
    #expect(plain[plain.count / 10].result.efficiency >= 0.98)
  }

  /// What the workers need at least is given to them, however long that is.
  @Test func aLongListAndOneWorkerAreNoStall() {
    let run = RandomRun(seed: 100_046)
    #expect(run.scenario.workers == 1 && run.scenario.keys == 8_000)
    #expect(run.isSound && run.result.efficiency > 0.95)
  }

  /// A replica shows the last window's low count, then a higher one and a higher one again: all of it is the replica.
  @Test(arguments: [20_034, 300_426] as [UInt64])
  func aCountThatProvedTooLowIsNotTakenForNeighbours(seed: UInt64) {
    let run = RandomRun(seed: seed)
    #expect(run.scenario.stale > 0 && run.isSound)
    #expect(run.result.efficiency > 0.95)
  }
}

extension Scenario {
  /// The documented kind of limit with nobody else about.
  fileprivate var isPlain: Bool { kind == .fixed && period >= 30 && neighbour == nil }
}
