import Foundation
import Glibc
import Testing

/// What becomes of a daemon whose spool somebody takes apart. A spool that hangs: `Tests/System/stuck_check.py`.
@Suite struct SpoolTroubleTests {
  @Test func knownKeysAreWorkedOnThoughTheSpoolCannotBeUsedAndThatIsNoHold() throws {
    let bench = try Bench(latency: .milliseconds(50))
    let daemon = try bench.start()
    #expect(try bench.run("pause", "--reason", "lunch").code == 0)
    try bench.drop(lines(randomKeys(200)), as: "a")
    try bench.await { $0.keys.pending == 200 && $0.lists.incoming == 0 }
    try FileManager.default.removeItem(atPath: bench.spool("results"))
    try "".write(toFile: bench.spool("results"), atomically: false, encoding: .utf8)
    let paused = try bench.await { $0.reason?.contains("/results") == true }
    #expect(paused.state == .paused && paused.hold == nil && paused.reason?.hasPrefix("lunch; ") == true)
    #expect(try bench.run("resume").code == 0)
    let working = try bench.await { $0.keys.registered > 0 && $0.reason?.contains("/results") == true }
    #expect(working.state == .working && working.hold == nil)
    // Nothing is left to send: only now the daemon waits for the spool alone.
    let held = try bench.await { $0.hold == .disk }
    #expect(held.keys.registered == 200 && held.state == .holding)
    try FileManager.default.removeItem(atPath: bench.spool("results"))
    try bench.await { $0.state == .idle }
    #expect(try bench.results("a").count == 200)
    bench.stop(daemon)
  }
}
