import ControlAPI
import Testing

/// What status says of the past, from outside.
@Suite struct StatusTests {
  @Test func theLastSuccessIsKnownAfterAKill() throws {
    let bench = try Bench()
    let daemon = try bench.start()
    try bench.drop(lines(randomKeys(3)), as: "a")
    let before = try bench.await { $0.keys.registered == 3 && $0.state == .idle && $0.lists.finishing == 0 }
    let success = try #require(before.lastSuccessAt)
    // It is idle since the last commit, which followed the last success.
    #expect(before.since >= success && before.since <= before.now)
    let minutes = try bench.client.history().minutes
    #expect(minutes.contains { $0.registered > 0 } && minutes.allSatisfy { $0.registered == 0 || $0.state == .working })
    bench.murder(daemon)
    try bench.start()
    #expect(try bench.client.status().lastSuccessAt == success)
    let shown = try bench.client.metrics().split(separator: "\n").first {
      $0.hasPrefix("keyreg_last_success_timestamp_seconds ")
    }
    #expect(shown != nil)
  }

  @Test func aListIsNotDoneBeforeTheNextRequestIsPossible() throws {
    let bench = try Bench(limit: "10/\(Bench.longPeriod)")
    let daemon = try bench.start()
    try bench.drop(lines(randomKeys(10)), as: "a")
    try bench.await { $0.keys.registered == 10 }
    try bench.drop(lines(randomKeys(1)), as: "b")
    try bench.drop(lines(randomKeys(499)), as: "c")
    let status = try bench.await { $0.lists.active == 2 && $0.keys.pending == 500 && $0.state == .waiting }
    let first = try #require(try bench.client.list("b").etaAt).seconds(since: status.now)
    #expect(first >= status.rateLimit.waitingSeconds ?? .infinity)
    #expect(first < 3_700)
    try bench.run("pause")
    #expect(try bench.client.list("b").etaAt == nil)
    bench.stop(daemon)
  }
}
