import Foundation
import Glibc
import Testing

struct WatchTests {
  @Test(arguments: [SIGTERM, SIGKILL]) func watchingGoesOnOverARestartOfTheDaemon(signal: Int32) throws {
    let bench = try Bench()
    let first = try bench.start()
    let watch = try bench.follow("status", "--watch")
    try bench.drop(lines(randomKeys(3)), as: "a")
    try watch.read(until: "3 of 3 keys (100.0 %)")
    kill(first.processIdentifier, signal)
    first.waitUntilExit()
    while watch.process.isRunning, try !watch.errors().contains("has stopped; waiting 60 s") { sched_yield() }
    let second = try bench.start()
    try bench.drop(lines(randomKeys(2)), as: "b")
    try watch.read(until: "5 of 5 keys (100.0 %)")
    // It inherits the signals that the test's thread blocks.
    bench.murder(watch.process)
    let errors = try watch.errors()
    #expect(errors.contains("is back"), "\(errors)")
    bench.stop(second)
  }

  @Test func aRemovedSocketIsCreatedAgain() throws {
    let bench = try Bench(faults: "401")
    let daemon = try bench.start()
    // A daemon without work looks at its socket less often.
    try bench.drop(lines(randomKeys(1)), as: "a")
    try bench.await { $0.hold == .credentials }
    let watch = inotify_init1(Int32(IN_CLOEXEC))
    defer { close(watch) }
    try #require(inotify_add_watch(watch, bench.path(""), UInt32(IN_MOVED_TO)) >= 0)
    try #require(unlink(bench.socket) == 0)
    // Returns when the next socket is moved into its place.
    var event = [UInt8](repeating: 0, count: 4_096)
    #expect(read(watch, &event, event.count) > 0)
    #expect(try bench.run("status").code == 0)
    bench.stop(daemon)
    #expect(bench.log.contains("the control socket was removed; it was created again"))
  }

  /// Also while nothing happens. A daemon without work sends an event every ten seconds.
  @Test(arguments: ["status", "lists"]) func elsewhereThanOnATerminalItIsALineASecond(command: String) throws {
    let bench = try Bench()
    let daemon = try bench.start()
    let begun = ContinuousClock.now
    let watch = try bench.follow(command, "--watch")
    try watch.read(lines: 3)
    #expect(ContinuousClock.now - begun < .seconds(9))
    bench.murder(watch.process)
    bench.stop(daemon)
  }

  @Test func withoutADaemonThereIsNothingToWatch() throws {
    let bench = try Bench()
    let watch = try bench.run("status", "--watch")
    #expect(watch.code == 3 && watch.output.isEmpty)
  }
}

/// A command that runs on while its output is read.
struct FollowedCommand {
  let process: Process
  let output: FileHandle
  let errors: () throws -> String

  /// Reads on until `text` has come.
  func read(until text: String) throws { try read(untilAll: [text]) }

  /// Reads on until this many lines have come.
  func read(lines: Int) throws {
    var count = 0
    while count < lines {
      let piece = output.availableData
      try #require(!piece.isEmpty, "the command ended")
      count += piece.count { $0 == UInt8(ascii: "\n") }
    }
  }

  /// Reads on until each of these has come, in any order; some may come in one piece.
  func read(untilAll texts: [String]) throws {
    var seen = ""
    while !texts.allSatisfy({ seen.contains($0) }) {
      let piece = output.availableData
      try #require(!piece.isEmpty, "the command ended: \(seen)")
      seen += String(decoding: piece, as: UTF8.self)
    }
  }
}
