// What efficiency is measured against: the best that any client could do, and not more.

import PacingSimulation
import RateLimit
import Testing

@Suite struct OptimumTests {
  /// Twelve keys, five a minute: two whole windows and a part of the third.
  private func optimum(firstWindow edge: Seconds) -> Seconds {
    let scenario = Scenario("", "") {
      ($0.limit, $0.period, $0.keys, $0.firstEdge) = (5, 60, 12, edge)
      ($0.latency, $0.spikes) = (0.15, 0)
    }
    return Simulation.keyreg(scenario, seed: 1).optimum
  }

  @Test func aFirstWindowThatNoRequestReachesIsNotUsed() {
    #expect((120..<121).contains(optimum(firstWindow: 0.002)))
    #expect((61..<62).contains(optimum(firstWindow: 1)))
  }

  /// 50 of 150 keys are left for the second window.
  private func afterTheEdge(spikes: Double) -> Seconds {
    let scenario = Scenario("", "") {
      ($0.limit, $0.period, $0.keys, $0.workers, $0.firstEdge) = (100, 5, 150, 64, 5)
      ($0.latency, $0.spikes, $0.spikeAtMost) = (0.15, spikes, 4)
    }
    return Simulation.keyreg(scenario, seed: 1).optimum - 5
  }

  @Test func theLastReplyMayBeASlowOne() {
    #expect((0.15..<1).contains(afterTheEdge(spikes: 0)))
    #expect((3.5..<5).contains(afterTheEdge(spikes: 0.3)), "about fifteen of the last fifty take up to 4 s longer")
  }
}
