import Foundation
import Testing

/// Pulling the plug. The sandbox's journal is the oracle: what was sent, compared with what was recorded.
@Suite struct KillTests {
  @Test(arguments: 1...3) func killedAtAnyInstantNothingIsLostOrImportedTwice(seed: UInt64) throws {
    let bench = try Bench(faults: "500:2%,reset:1%,lost:1%,seed=\(seed)", latency: .milliseconds(2))
    var random = SystemRandomNumberGenerator()
    var keys = randomKeys(6_000)
    try bench.drop(lines(keys), as: "a")
    for round in 0..<8 {
      let daemon = try bench.launch(["run", "--config", bench.path("keyreg.yaml")])
      let more = randomKeys(50)
      keys += more
      try bench.drop(lines(more), as: "b\(round)")
      // The moment of the kill is the point of the test: from a start that has not opened the queue yet to full work.
      let requests = bench.sandbox.requestCount
      let goal = Int.random(in: 0...300, using: &random)
      let deadline = Date(timeIntervalSinceNow: Double.random(in: 0...0.7, using: &random))
      while bench.sandbox.requestCount < requests + goal, Date() < deadline { sched_yield() }
      bench.murder(daemon)
    }
    #expect(try bench.runUntilDone() == 0)
    #expect(Set(bench.sandbox.registeredKeys.map(\.description)) == Set(keys))
    var rows: [String] = []
    for list in try bench.names(in: "results") {
      rows += try bench.results(String(list.dropLast(4))).map { String($0.prefix(36)) }
    }
    #expect(rows.count == keys.count)
    #expect(Set(rows) == Set(keys))
    #expect(try bench.names(in: "incoming").isEmpty)
    // Only keys without a recorded outcome at a kill are sent again: at most those in hand, eight times.
    let confirmed = Dictionary(grouping: try bench.journal().filter { $0.status == 201 }, by: \.key)
    let again = confirmed.values.reduce(0) { $0 + $1.count - 1 }
    #expect(again < 8 * 210)
  }

  @Test func anOrderlyStopLosesNothingAndSendsNothingAgain() throws {
    let bench = try Bench(latency: .milliseconds(30))
    let keys = randomKeys(400)
    try bench.drop(lines(keys), as: "a")
    for _ in 0..<4 {
      let daemon = try bench.start()
      let sent = bench.sandbox.requestCount
      try bench.await { _ in bench.sandbox.requestCount > sent + 20 }
      bench.stop(daemon)
    }
    #expect(try bench.runUntilDone() == 0)
    let journal = try bench.journal()
    #expect(journal.count == 400)
    #expect(Set(journal.map(\.key)) == Set(keys))
  }

  @Test func aPauseOutlivesAKill() throws {
    let bench = try Bench()
    let daemon = try bench.start()
    #expect(try bench.run("pause", "--reason", "change freeze").code == 0)
    bench.murder(daemon)
    try bench.drop(lines(randomKeys(5)), as: "a")
    let second = try bench.start()
    let status = try bench.await { $0.keys.total == 5 }
    #expect(status.state == .paused && status.reason == "change freeze")
    #expect(try bench.journal().isEmpty)
    #expect(try bench.run("resume").code == 0)
    try bench.await { $0.keys.registered == 5 }
    bench.stop(second)
  }

  @Test func whatWasLearnedOfTheLimitIsKnownAfterARestart() throws {
    let bench = try Bench(limit: "500/60s")
    let daemon = try bench.start()
    try bench.drop(lines(randomKeys(3)), as: "a")
    let learned = try bench.await { $0.keys.registered == 3 }.rateLimit
    #expect(learned.limit == 500 && learned.source == "headers")
    bench.stop(daemon)
    let second = try bench.start()
    let status = try bench.client.status()
    #expect(status.requests.sent == 0)
    #expect(status.rateLimit.limit == 500 && status.rateLimit.periodSeconds == 60)
    #expect(status.rateLimit.source == "learned")
    bench.stop(second)
  }
}
