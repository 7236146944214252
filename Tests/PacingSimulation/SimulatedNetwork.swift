// How long a request takes there and back: lognormal, sometimes far longer, and out of order if the scenario says so.

import Foundation
import RateLimit

struct SimulatedNetwork {
  private var random: SeededRandom
  private let scenario: Scenario

  init(_ scenario: Scenario, seed: UInt64) {
    self.scenario = scenario
    random = SeededRandom(seed: seed &* 13 &+ 5)
  }

  mutating func draw() -> (there: Seconds, back: Seconds) {
    var time = min(0.5, max(0.05, exp(log(scenario.latency) + 0.5 * random.normal())))
    if random.chance(scenario.spikes) { time += random.uniform(1, scenario.spikeAtMost) }
    let share = random.uniform(0.3, 0.7)
    return (time * share, time * (1 - share) + (scenario.reorder > 0 ? random.uniform(0, scenario.reorder) : 0))
  }

  /// The mean time of a request, in seconds.
  static func mean(_ scenario: Scenario) -> Seconds {
    var network = SimulatedNetwork(scenario, seed: 1)
    let draws = 2_000
    return (0..<draws).reduce(0) { sum, _ in
      let (there, back) = network.draw()
      return sum + there + back
    } / Double(draws)
  }
}
