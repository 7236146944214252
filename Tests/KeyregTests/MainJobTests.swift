import Foundation
import Testing

/// The main job, from a list in the spool to an outcome for every key, with the real binary.
@Suite struct MainJobTests {
  @Test(arguments: ["text", "csv", "json lines", "json array", "api answer"])
  func everyFormatComesToItsResults(format: String) throws {
    let bench = try Bench()
    let keys = randomKeys(300)
    let content =
      switch format {
      case "text": "# keys\n\n" + keys.map { "  \"\($0.uppercased())\"\r\n" }.joined()
      case "csv": "name,App_Key_Id\n" + keys.map { "\"a, b\",\($0)\n" }.joined()
      case "json lines": keys.map { "{\"id\":\"\($0)\"}\n" }.joined()
      case "json array": "[" + keys.map { "\"\($0)\"" }.joined(separator: ",\n") + "]"
      default:
        "{\"meta\":{\"total\":300},\"data\":["
          + keys.map { "{\"type\":\"application_keys\",\"id\":\"\($0)\"}" }.joined(separator: ",") + "]}"
      }
    try bench.drop(content, as: "list")
    #expect(try bench.runUntilDone() == 0)
    let results = try bench.results("list")
    #expect(results.map { String($0.prefix(36)) } == keys)
    #expect(results.allSatisfy { $0.contains(",registered,201,1,") })
    #expect(try bench.names(in: "done") == ["list", "list.receipt.json"])
    #expect(try bench.names(in: "incoming").isEmpty)
  }

  @Test func workGoesInTheOrderOfNameAndLine() throws {
    let bench = try Bench()
    try bench.configure("workers: 1\n")
    let first = randomKeys(20)
    let second = randomKeys(20)
    let daemon = try bench.start()
    #expect(try bench.run("pause").code == 0)
    try bench.drop(lines(second), as: "b")
    try bench.drop(lines(first), as: "a")
    try bench.await { $0.lists.total == 2 && $0.lists.incoming == 0 }
    #expect(try bench.run("resume").code == 0)
    try bench.await { $0.keys.registered == 40 }
    bench.stop(daemon)
    #expect(try bench.journal().map(\.key) == first + second)
  }

  @Test func sameBytesSameNameAndSharedKeysRegisterOnce() throws {
    let bench = try Bench()
    let keys = randomKeys(50)
    let daemon = try bench.start()
    try bench.drop(lines(keys), as: "a")
    try bench.await { $0.keys.registered == 50 && $0.lists.active == 0 }
    try bench.drop(lines(keys), as: "a")
    try bench.await { $0.lists.total == 2 && $0.lists.incoming == 0 && $0.lists.active == 0 }
    try bench.drop(lines(keys.prefix(10) + randomKeys(1)), as: "b")
    try bench.await { $0.keys.registered == 51 && $0.lists.incoming == 0 }
    bench.stop(daemon)
    #expect(try bench.journal().count == 51)
    #expect(try bench.receipt("a.2")["duplicate_of"] as? String == "a")
    let receipt = try #require(try bench.receipt("b")["keys"] as? [String: Int])
    #expect(receipt["accepted"] == 1 && receipt["already_known"] == 10)
    #expect(try bench.results("b").count == 11)
  }

  /// With its number, the second name is longer than any that may be chosen.
  @Test(arguments: [233, 250]) func theLongestNamesAreTakenAgain(length: Int) throws {
    let bench = try Bench()
    let name = String(repeating: "n", count: length)
    for _ in 0..<2 {
      try FileManager.default.createDirectory(atPath: bench.spool("incoming"), withIntermediateDirectories: true)
      try lines(randomKeys(2)).write(toFile: bench.spool("incoming/" + name), atomically: false, encoding: .utf8)
      #expect(try bench.runUntilDone() == 0)
    }
    #expect(try bench.names(in: "incoming").isEmpty)
    #expect(try bench.names(in: "results").count == 2)
  }

  @Test func badLinesAreReportedAndStopNothing() throws {
    let bench = try Bench()
    let keys = randomKeys(3)
    try bench.drop("\(keys[0])\nno key\n\(keys[1])\n\(keys[1])\n\u{1b}]x\u{8}\n\(keys[2])\n", as: "list")
    #expect(try bench.runUntilDone() == 0)
    let receipt = try bench.receipt("list")
    let counts = try #require(receipt["keys"] as? [String: Int])
    #expect(counts["accepted"] == 3 && counts["duplicate_in_list"] == 1 && counts["invalid"] == 2)
    let invalid = try #require(receipt["invalid"] as? [[String: Any]])
    try #require(invalid.map { $0["line"] as? Int } == [2, 5])
    #expect(invalid[1]["text"] as? String == "\\u{1b}]x\\u{8}")
  }

  @Test func aListWithoutAKeyIsRejectedWithItsReason() throws {
    let bench = try Bench()
    try bench.drop("hello\nworld\n", as: "words")
    try bench.drop("\u{0}\u{1}\u{2}binary\u{0}", as: "binary")
    try bench.drop("", as: "empty")
    #expect(try bench.runUntilDone() == 65)
    #expect(
      try bench.names(in: "rejected") == [
        "binary", "binary.reason.txt", "empty", "empty.reason.txt", "words", "words.reason.txt",
      ])
    let reason = try String(contentsOfFile: bench.spool("rejected/words.reason.txt"), encoding: .utf8)
    #expect(reason.contains("line: 1") && reason.contains("hint:"))
    #expect(try bench.journal().isEmpty)
  }

  @Test func onlyFinishedRegularFilesAreTaken() throws {
    let bench = try Bench()
    let key = randomKeys(1)
    try bench.drop(lines(key), as: "real")
    for name in [".hidden", "a.tmp", "b.part", "c.filepart", "d~", "e.swp"] {
      try lines(randomKeys(1)).write(toFile: bench.spool("incoming/\(name)"), atomically: false, encoding: .utf8)
    }
    try FileManager.default.createSymbolicLink(
      atPath: bench.spool("incoming/link"), withDestinationPath: bench.path("keyreg.yaml"))
    try #require(mkfifo(bench.spool("incoming/fifo"), 0o600) == 0)
    try FileManager.default.createDirectory(
      atPath: bench.spool("incoming/folder"), withIntermediateDirectories: false)
    #expect(try bench.runUntilDone() == 0)
    #expect(try bench.journal().map(\.key) == key)
    #expect(try bench.names(in: "incoming").count == 9)
    for (name, kind) in [("link", "symbolic link"), ("fifo", "FIFO"), ("folder", "folder")] {
      #expect(bench.log.contains("incoming/\(name) is a \(kind), not a regular file"))
    }
  }

  @Test func aPlainCopyIsTakenOnceItIsClosed() throws {
    let bench = try Bench()
    let daemon = try bench.start()
    let keys = randomKeys(20)
    let path = bench.spool("incoming/copy")
    // Open from its creation to its end, as when copying.
    let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL, 0o644)
    try #require(descriptor >= 0)
    let writer = FileHandle(fileDescriptor: descriptor, closeOnDealloc: false)
    try writer.write(contentsOf: Data(lines(Array(keys.prefix(10))).utf8))
    // Another list overtakes it, so the daemon has had every opportunity to take the half-written one.
    try bench.drop(lines(randomKeys(1)), as: "other")
    try bench.await { $0.keys.registered == 1 && $0.lists.active == 0 }
    #expect(try bench.client.status().keys.total == 1)
    try writer.write(contentsOf: Data(lines(Array(keys.suffix(10))).utf8))
    try writer.close()
    try bench.await { $0.keys.registered == 21 && $0.lists.active == 0 && $0.lists.incoming == 0 }
    bench.stop(daemon)
    let receipt = try #require(try bench.receipt("copy")["keys"] as? [String: Int])
    #expect(receipt["accepted"] == 20 && receipt["already_known"] == 0)
  }

  /// Swift's strings are equal where Unicode says that they are the same text; file names are bytes.
  @Test func namesThatLookAlikeAreDifferentLists() throws {
    let bench = try Bench()
    let names = ["caf\u{e9}", "cafe\u{301}", "\u{212a}elvin", "Kelvin", "\u{1ed9}", "o\u{323}\u{302}"]
    for name in names { try bench.drop(lines(randomKeys(1)), as: name) }
    #expect(try bench.runUntilDone() == 0)
    #expect(bench.sandbox.registeredCount == names.count)
    for name in names { #expect(bench.exists("done/\(name)") && bench.exists("results/\(name).csv"), "\(name)") }
  }

  @Test func aThousandListsAtOnce() throws {
    let bench = try Bench()
    for number in 0..<1_000 { try bench.drop(lines(randomKeys(2)), as: "list-\(number).txt") }
    #expect(try bench.runUntilDone() == 0)
    #expect(try bench.names(in: "results").count == 1_000)
    #expect(try bench.names(in: "done").count == 2_000)
    #expect(bench.sandbox.registeredCount == 2_000)
  }

  /// What is kept of a reply contains no secret; that must not change what the reply means.
  @Test func credentialsThatArePartsOfOrdinaryWordsAndNumbersHarmNothing() throws {
    let bench = try Bench(limit: "111/10s")
    (bench.environment["DD_API_KEY"], bench.environment["DD_APP_KEY"]) = ("app", "1")
    try bench.drop(lines(randomKeys(30)), as: "list")
    #expect(try bench.runUntilDone() == 0)
    #expect(bench.sandbox.registeredCount == 30)
  }

  @Test func stoppingBeforeAListWasTakenInIsNotDone() throws {
    let bench = try Bench()
    try lines(randomKeys(3)).write(toFile: bench.path("list"), atomically: true, encoding: .utf8)
    #expect(try bench.run("submit", bench.path("list")).code == 0)
    // It is too young to be found by scanning when the daemon is told to stop.
    try "spool:\n  settle: 1h\n".write(toFile: bench.path("keyreg.yaml"), atomically: true, encoding: .utf8)
    let daemon = try bench.start("--until-done")
    kill(daemon.processIdentifier, SIGTERM)
    daemon.waitUntilExit()
    #expect(daemon.terminationStatus == 75)
  }

  @Test func someFailedIsExitCodeOne() throws {
    let keys = randomKeys(3)
    let bench = try Bench(faults: "409:key=\(keys[1])")
    try bench.drop(lines(keys), as: "list")
    #expect(try bench.runUntilDone() == 1)
    let failed = try #require(try bench.results("list").first { $0.hasPrefix(keys[1]) })
    #expect(failed.contains(",failed,409,1,"))
    #expect(failed.contains("is being changed"))
  }
}
