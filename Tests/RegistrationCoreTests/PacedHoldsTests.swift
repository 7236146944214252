import PacingSimulation
import RegistrationCore
import Testing

/// Whole jobs through an outage and through refused credentials, on the daemon's own core in virtual time.
@Suite struct PacedHoldsTests {
  @Test(arguments: ["S01", "S15", "S30"]) func reachesTheLevels(_ id: String) throws {
    let scenario = try scenario(id)
    let job = run(scenario, seeds: 1...20)
    #expect(job.summary.missed(scenario.levels) == [])
    #expect(job.failed == [[]])
  }

  /// Forbidden keys among good ones are asked again and fail; the credentials are not suspected for long.
  @Test func keysThatAreForbiddenThemselvesCostNearlyNoTime() throws {
    var scenario = try scenario("S01")
    scenario.keys = 2_000
    let guilty = Set((0..<2_000).filter { $0 % 101 == 50 }.map(Int64.init))
    let job = run(scenario, seeds: 1...5, bad: Dictionary(uniqueKeysWithValues: guilty.map { ($0, 403) }))
    #expect(job.failed == [guilty])
    #expect(job.holds == [[]])
    #expect(job.summary.efficiency >= 0.95)
    #expect(job.summary.throttled == 0)
  }

  /// One worker, one attempt, and every kind of bad key at the head of the list.
  @Test func badKeysAtTheHeadDoNotStopTheOthers() throws {
    var scenario = try scenario("S01")
    (scenario.keys, scenario.workers) = (100, 1)
    let statuses = [201, 500, 500, 403, 500, 500, 500, 403, 500, 502, 403]
    let bad = Dictionary(uniqueKeysWithValues: statuses.enumerated().dropFirst().map { (Int64($0), $1) })
    let job = run(scenario, seeds: 1...5, bad: bad, maxAttempts: 1)
    #expect(job.failed == [Set(bad.keys)])
    for result in job.summary.runs { #expect(result.isDone && result.time < 300) }
  }

  /// When the credentials are refused before any key was registered, the canaries are different keys, and none is charged.
  @Test func withoutAKnownKeyTheCanariesRotate() throws {
    var scenario = try scenario("S30")
    (scenario.keys, scenario.refusals) = (1_000, [0...90])
    let job = run(scenario, seeds: 1...5)
    #expect(job.summary.efficiency > 0)
    #expect(job.failed == [[]])
    #expect(job.holds == [[.credentials]])
    for (result, client) in zip(job.summary.runs, job.clients) {
      #expect(result.refused <= 14)
      #expect(client.refusedRows.count >= 3)
    }
  }

  private struct Job {
    var summary: Summary
    var clients: [DaemonClient]

    /// The different sets of keys that failed in the runs.
    var failed: Set<Set<Int64>> { Set(clients.map(\.failed)) }
    /// The different courses of holds.
    var holds: Set<[Holds.Reason]> { Set(clients.map(\.holds)) }
  }

  private func scenario(_ id: String) throws -> Scenario { try #require(Scenario.all.first { $0.id == id }) }

  private func run(_ scenario: Scenario, seeds: ClosedRange<UInt64>, bad: [Int64: Int] = [:], maxAttempts: Int = 8)
    -> Job
  {
    let clients = seeds.map { DaemonClient(scenario, seed: $0, bad: bad, maxAttempts: maxAttempts) }
    let runs = zip(seeds, clients).map { seed, client in Simulation(scenario, seed: seed) { _, _ in client }.run() }
    return Job(summary: Summary(runs: runs), clients: clients)
  }
}
