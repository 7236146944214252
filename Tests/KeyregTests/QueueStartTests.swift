import Foundation
import RegistrationQueue
import Testing

/// What the daemon does with the queue that it finds.
@Suite struct QueueStartTests {
  @Test func aQueueThatIsGoneIsMissedAndANewOneMustBeMeant() throws {
    let bench = try Bench()
    let keys = randomKeys(20)
    try bench.drop(lines(keys), as: "a")
    #expect(try bench.runUntilDone() == 0)
    try FileManager.default.removeItem(atPath: bench.path("state"))
    let refused = try bench.run("run", "--config", bench.path("keyreg.yaml"), "--until-done")
    #expect(refused.code == 78)
    #expect(refused.errors.contains("has receipts of lists") && refused.errors.contains("--new-queue"))
    #expect(try bench.run("run", "--config", bench.path("keyreg.yaml"), "--until-done", "--new-queue").code == 0)
    #expect(try bench.runUntilDone() == 0)
  }

  @Test func aQueueThatIsGoneIsMissedThoughOnlyResultsAreLeft() throws {
    let bench = try Bench()
    try bench.drop(lines(randomKeys(5)), as: "a")
    #expect(try bench.runUntilDone() == 0)
    try FileManager.default.removeItem(atPath: bench.path("state"))
    try FileManager.default.removeItem(atPath: bench.spool("done"))
    let refused = try bench.run("run", "--config", bench.path("keyreg.yaml"), "--until-done")
    #expect(refused.code == 78 && refused.errors.contains("has results of lists"), "\(refused.errors)")
    // A file that somebody else has put there is not a sign of a queue.
    try "id,owner\n".write(toFile: bench.spool("results/a.csv"), atomically: false, encoding: .utf8)
    #expect(try bench.runUntilDone() == 0)
  }

  /// Restores the state directory as it was before `body`.
  private func goBack(_ bench: Bench, after body: () throws -> Void) throws {
    try FileManager.default.copyItem(atPath: bench.path("state"), toPath: bench.path("old"))
    try body()
    try FileManager.default.removeItem(atPath: bench.path("state"))
    try FileManager.default.moveItem(atPath: bench.path("old"), toPath: bench.path("state"))
  }

  private func states(_ bench: Bench) throws -> [String: Data] {
    var states: [String: Data] = [:]
    for name in ["queue.sqlite", "queue.sqlite-wal", "queue.sqlite.mark"] {
      states[name] = FileManager.default.contents(atPath: bench.path("state/\(name)"))
    }
    return states
  }

  @Test func anOlderQueueBesideANewerSpoolIsRefusedAndCanBeMeant() throws {
    let bench = try Bench()
    let keys = randomKeys(30)
    try bench.drop(lines(keys[..<10]), as: "a")
    #expect(try bench.runUntilDone() == 0)
    try goBack(bench) {
      try bench.drop(lines(keys[10..<20]), as: "b")
      try bench.drop(lines(keys[20...]), as: "c")
      #expect(try bench.runUntilDone() == 0)
    }
    // Of c, only the receipt is left.
    try FileManager.default.removeItem(atPath: bench.spool("done/c"))
    let before = try states(bench)
    let sent = try bench.journal().count
    let refused = try bench.run("run", "--config", bench.path("keyreg.yaml"), "--until-done")
    #expect(refused.code == 78 && refused.errors.contains("older than its spool"), "\(refused.errors)")
    #expect(refused.errors.contains("(2, the first b)") && refused.errors.contains("--older-queue"))
    #expect(try states(bench) == before)
    #expect(try bench.journal().count == sent)

    let meant = try bench.run("run", "--config", bench.path("keyreg.yaml"), "--until-done", "--older-queue")
    #expect(meant.code == 0, "\(meant.errors)")
    #expect(meant.errors.contains("neither the queue nor the spool has them"))
    #expect(try bench.journal().count == sent + 10)
    #expect(try bench.names(in: "done") == ["a", "a.receipt.json", "b", "b.receipt.json", "c.receipt.json"])
    #expect(try bench.results("b").count == 10)
    // Once it was accepted, it is not an older queue any more.
    #expect(try bench.runUntilDone() == 0)
    #expect(try bench.journal().count == sent + 10)
  }

  @Test func aListThatTheQueueHasNotReadToTheEndButTheSpoolHasShowsAnOlderQueue() throws {
    let bench = try Bench()
    try bench.drop(lines(randomKeys(10)), as: "a")
    #expect(try bench.runUntilDone() == 0)
    let receipt = try bench.receipt("a")
    try FileManager.default.removeItem(atPath: bench.path("state"))
    try FileManager.default.createDirectory(atPath: bench.path("state"), withIntermediateDirectories: true)
    let queue = try RegistrationQueue(path: bench.path("state/queue.sqlite"))
    let list = try queue.beginImport(
      ListSource(
        name: "a", sha256: #require(receipt["sha256"] as? String), bytes: #require(receipt["bytes"] as? Int),
        modified: 0, format: "text", arrivedAt: .now()), first: ImportBatch(), isWhole: false)
    #expect(list.importedAt == nil)
    try queue.finish()
    let refused = try bench.run("run", "--config", bench.path("keyreg.yaml"), "--until-done")
    #expect(refused.code == 78 && refused.errors.contains("(1, the first a)"), "\(refused.errors)")
    #expect(try bench.run("run", "--config", bench.path("keyreg.yaml"), "--until-done", "--older-queue").code == 0)
    #expect(try bench.results("a").count == 10)
  }

  @Test func whatIsNoSignOfAnOlderQueueStopsNoStart() throws {
    let bench = try Bench()
    try bench.drop(lines(randomKeys(10)), as: "a")
    try bench.drop("nothing\n", as: "b")
    #expect(try bench.runUntilDone() == 65)
    // It has grown unnoticed, and a kill came between its receipt and its move.
    let grown = try FileHandle(forWritingTo: URL(filePath: bench.spool("done/a")))
    try grown.seekToEnd()
    try grown.write(contentsOf: Data(lines(randomKeys(1)).utf8))
    try bench.drop(lines(randomKeys(5)), as: "c")
    try FileManager.default.copyItem(
      atPath: bench.spool("done/a.receipt.json"), toPath: bench.spool("done/d.receipt.json"))
    try FileManager.default.moveItem(atPath: bench.spool("incoming/c"), toPath: bench.spool("reading/d"))
    #expect(try bench.runUntilDone() == 0, "\(bench.log)")
    // Copies that somebody has made do not count as other lists.
    for (file, copy) in [
      ("results/a.csv", "results/a-for-ann.csv"), ("done/a.receipt.json", "done/a.old.receipt.json"),
      ("done/a", "done/a.old"),
    ] { try FileManager.default.copyItem(atPath: bench.spool(file), toPath: bench.spool(copy)) }
    // Nor does a file that is not a receipt.
    try "{\"list\":".write(toFile: bench.spool("done/all.receipt.json"), atomically: false, encoding: .utf8)
    try FileManager.default.createDirectory(
      atPath: bench.spool("done/old.receipt.json"), withIntermediateDirectories: false)
    #expect(try bench.runUntilDone() == 0)
    #expect(try bench.results("a").count == 11)
    // Swept, and damaged.
    for name in ["a", "a.receipt.json"] { try FileManager.default.removeItem(atPath: bench.spool("done/\(name)")) }
    try Data().write(to: URL(filePath: bench.spool("done/d.receipt.json")))
    #expect(try bench.runUntilDone() == 0, "\(bench.log)")
  }

  @Test func anEmptyFileWhereAQueueWasIsRefusedAndLeft() throws {
    let bench = try Bench()
    try bench.drop(lines(randomKeys(20)), as: "a")
    #expect(try bench.runUntilDone() == 0)
    let path = bench.path("state/queue.sqlite")
    try Data().write(to: URL(filePath: path))
    let refused = try bench.run("run", "--config", bench.path("keyreg.yaml"))
    #expect(refused.code == 78)
    #expect(refused.errors.contains("is empty") && refused.errors.contains("hint: "))
    #expect(try Data(contentsOf: URL(filePath: path)).isEmpty)
  }

  /// After a kill the queue is checked while work goes on.
  @Test func damageIsAHoldThatSaysWhatToDo() throws {
    let bench = try Bench()
    let keys = randomKeys(3_000)
    try bench.drop(lines(keys), as: "a")
    #expect(try bench.runUntilDone() == 0)
    let path = URL(filePath: bench.path("state/queue.sqlite"))
    var bytes = try Data(contentsOf: path)
    let id = try #require(UUID(uuidString: keys[1_234])).uuid
    let place = try #require(bytes.firstRange(of: withUnsafeBytes(of: id) { Data($0) }))
    bytes[place.lowerBound + 3] ^= 0x20
    try bytes.write(to: path)
    // As a kill leaves it: no clean end was noted.
    try Data().write(to: URL(filePath: bench.path("state/queue.sqlite.mark")))
    let daemon = try bench.start()
    let status = try bench.await { $0.hold == .disk }
    #expect(status.state == .holding)
    #expect(status.reason?.contains("keyreg restore") == true)
    try bench.drop(lines(randomKeys(5)), as: "b")
    bench.stop(daemon)
    #expect(try bench.names(in: "incoming") + bench.names(in: "reading") == ["b"])
    let again = try bench.run("run", "--config", bench.path("keyreg.yaml"))
    #expect(again.code == 78 && again.errors.contains("damaged"))
  }

  @Test func whatWasKeptAndDoesNotReadStopsNoStart() throws {
    let bench = try Bench()
    try bench.drop(lines(randomKeys(5)), as: "a")
    #expect(try bench.runUntilDone() == 0)
    func keep(_ value: some Encodable) throws {
      let queue = try RegistrationQueue(path: bench.path("state/queue.sqlite"))
      try queue.remember(value, named: "rate_limits")
      try queue.finish()
      #expect(try bench.runUntilDone() == 0, "\(bench.log)")
    }
    try keep([["limit": 1e300]])
    try keep(["limits": [["limit": 1e300, "period": -1]]])
    try keep("nonsense")
    #expect(bench.log.contains("is ignored"))
  }
}
