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
}
