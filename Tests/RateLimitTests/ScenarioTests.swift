// Every named situation, five seeds each, against its levels.

import PacingSimulation
import RateLimit
import Testing

@Suite struct ScenarioTests {
  @Test(arguments: Scenario.all)
  func reachesItsLevels(_ scenario: Scenario) {
    let summary = Summary(runs: (1...scenario.seeds).map { Simulation.keyreg(scenario, seed: $0) })
    #expect(summary.missed(scenario.levels) == [])
  }

  @Test(arguments: Scenario.further)
  func reachesItsLevelsBeyondTheProposal(_ scenario: Scenario) {
    let summary = Summary(runs: (1...scenario.seeds).map { Simulation.keyreg(scenario, seed: $0) })
    #expect(summary.missed(scenario.levels) == [])
  }
}

extension Scenario: CustomTestStringConvertible {
  var testDescription: String { "\(id) \(title)" }
}
