import Foundation
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
