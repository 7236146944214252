import ControlAPI
import Foundation
import Testing

/// What is shown of the rate limit after a restart is what it was before.
struct RestartTests {
  @Test(arguments: [false, true]) func ownRequestsBeforeItAreNotOthers(isKilled: Bool) throws {
    let bench = try Bench(limit: "100/\(Bench.longPeriod)")
    let first = try bench.start()
    try bench.drop(lines(randomKeys(60)), as: "a")
    try bench.await { $0.keys.registered == 60 }
    if isKilled { bench.murder(first) } else { bench.stop(first) }
    let second = try bench.start()
    try bench.drop(lines(randomKeys(100)), as: "b")
    let status = try bench.await { $0.rateLimit.source == "headers" }
    #expect(try #require(status.rateLimit.reserved) <= 1)
    #expect(try #require(status.rateLimit.ours) == 100 - (try #require(status.rateLimit.remaining)))
    let resets = try #require(status.rateLimit.resetsInSeconds)
    // 60 keys or so are left to the next window.
    #expect(try #require(status.progress.etaSeconds) < resets + 1_800, "\(status.progress)")
    #expect(bench.log.components(separatedBy: "the rate limit changed").count == (isKilled ? 3 : 2))
    bench.stop(second)
  }

  @Test func aPausedDaemonShowsWhatIsLeft() throws {
    let bench = try Bench(limit: "100/\(Bench.longPeriod)")
    let first = try bench.start()
    try bench.drop(lines(randomKeys(60)), as: "a")
    try bench.await { $0.keys.registered == 60 }
    try bench.run("pause")
    let before = try bench.client.status().rateLimit
    bench.stop(first)
    let second = try bench.start()
    let after = try bench.client.status()
    #expect(after.state == .paused && before.remaining == 40 && after.rateLimit.remaining == 40)
    let resets = (try #require(before.resetsInSeconds), try #require(after.rateLimit.resetsInSeconds))
    #expect(abs(resets.0 - resets.1) < 10)
    bench.stop(second)
  }
}
