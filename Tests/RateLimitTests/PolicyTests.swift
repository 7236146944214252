// What the operator and the status rely on, over whole simulated jobs: the estimate, the reserve, the assumption, restarts.

import PacingSimulation
import RateLimit
import Testing

@Suite struct PolicyTests {
  @Test(arguments: ["S01", "S04", "S05", "S06", "S21", "T07"])
  func estimatesTheEndWithinATenthAfterTheFirstWholeWindow(_ id: String) throws {
    let scenario = try #require((Scenario.all + Scenario.further).first { $0.id == id })
    for seed in 1...3 as ClosedRange<UInt64> {
      let clients = Clients()
      let simulation = Simulation(scenario, seed: seed) { _, wall in
        clients.add(KeyregClient(scenario, seed: seed, wall: wall))
      }
      var estimates: [(at: Seconds, end: Seconds)] = []
      simulation.onReply = { now, _, left, _ in
        guard now > 2 * scenario.period, left > 0 else { return }
        guard let eta = clients.all[0].standing(now: now, backlog: left).etaSeconds else { return }
        estimates.append((now, now + eta))
      }
      let end = simulation.run().time
      try #require(!estimates.isEmpty)
      // One key more or less can cost a window at the very end of one, so nine in ten must be right.
      let right = estimates.count { abs($0.end - end) <= 0.1 * end }
      #expect(Double(right) >= 0.9 * Double(estimates.count), "seed \(seed): \(right) of \(estimates.count)")
    }
  }

  @Test func leavesTheReservedShareInEveryWindow() {
    let scenario = Scenario("P1", "reserve") {
      ($0.limit, $0.period, $0.keys, $0.reserve) = (100, 10, 500, .share(0.3))
    }
    for seed in 1...5 as ClosedRange<UInt64> {
      var sent: [Int: Int] = [:]
      var server: SimulatedServer?
      let simulation = Simulation(scenario, seed: seed) { _, wall in KeyregClient(scenario, seed: seed, wall: wall) }
      server = simulation.server
      #expect(simulation.run().isDone)
      for arrival in server?.served ?? [] { sent[server?.index(arrival) ?? 0, default: 0] += 1 }
      #expect(sent.values.allSatisfy { $0 <= 70 })
      #expect((sent.values.max() ?? 0) >= 65)
    }
  }

  @Test func keepsToTheAssumedLimitWithoutHeaders() {
    let scenario = Scenario("P2", "assume") {
      ($0.limit, $0.period, $0.keys, $0.assume) = (1_000, 10, 300, Allowance(count: 50, period: 10))
      $0.hasHeaders = false
    }
    let simulation = Simulation(scenario, seed: 1) { _, wall in KeyregClient(scenario, seed: 1, wall: wall) }
    let result = simulation.run()
    #expect(result.isDone)
    let served = simulation.server.served
    for (index, instant) in served.enumerated() where index >= 50 {
      #expect(instant - served[index - 50] >= 9.5)
    }
    #expect(result.time < 62)
  }

  @Test func aRestartCostsNoRefusal() {
    let scenario = Scenario("P3", "restart") { ($0.limit, $0.period, $0.keys) = (100, 10, 450) }
    let clients = Clients()
    let first = Simulation(scenario, seed: 3) { _, wall in clients.add(KeyregClient(scenario, seed: 3, wall: wall)) }
    #expect(first.run().throttled == 0)
    let learned = clients.all[0].pacer.learned
    #expect(learned.limits.first?.isAligned == true)
    for seed in 4...8 as ClosedRange<UInt64> {
      let second = Simulation(scenario, seed: seed) { _, wall in
        KeyregClient(scenario, seed: seed, learned: learned, wall: wall)
      }
      let result = second.run()
      #expect(result.isDone)
      #expect(result.throttled == 0)
    }
  }

  /// 2, 8 and 32 daemons that know nothing of each other; other seeds than those of the scenarios.
  @Test func fleetsShareOneBudgetFairly() throws {
    for id in ["S26", "T08", "T09"] {
      let scenario = try #require((Scenario.all + Scenario.further).first { $0.id == id })
      let summary = Summary(runs: (11...13).map { Simulation.keyreg(scenario, seed: $0) })
      #expect(summary.missed(.init(efficiency: 0.95, throttled: 5, fairness: 0.8)) == [])
    }
  }
}

/// The clients of a simulation, for tests that look inside.
private final class Clients {
  private(set) var all: [KeyregClient] = []

  func add(_ client: KeyregClient) -> KeyregClient {
    all.append(client)
    return client
  }
}
