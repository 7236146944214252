import ControlAPI
import Foundation
import TestSupport
import Testing

/// `keyreg limits` of a real daemon.
struct LimitsTests {
  @Test func theGroundsOfALimitOutliveARestart() throws {
    let bench = try Bench()
    let first = try bench.start()
    try bench.drop(lines(randomKeys(20)), as: "a")
    try bench.await { $0.keys.registered == 20 }
    let before = try bench.client.limits()
    let limit = try #require(before.limits.first)
    #expect(limit.source == "headers" && limit.since != nil)
    #expect(before.replies == 20 && before.refusals == 0 && before.lastRefusal == nil)
    #expect(before.changes.count == 1)
    #expect(before.changes.first?.limit == limit && before.changes.first?.reply.limit == limit.limit)
    #expect(before.hours.reduce(0) { $0 + $1.registered } == 20)
    bench.stop(first)

    let second = try bench.start()
    try bench.drop(lines(randomKeys(5)), as: "b")
    try bench.await { $0.keys.registered == 25 }
    let after = try bench.client.limits()
    #expect(after.replies == 25 && after.since == before.since && after.changes == before.changes)
    let shown = try bench.run("limits")
    #expect(shown.code == 0)
    #expect(shown.output.contains("from headers") && shown.output.contains("ASSUMED SINCE"), "\(shown.output)")
    bench.stop(second)
  }

  @Test func withoutADaemonItEndsLikeEveryCommand() throws {
    let bench = try Bench()
    #expect(try bench.run("limits").code == 3)
  }
}
