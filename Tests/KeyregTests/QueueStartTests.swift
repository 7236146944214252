import Foundation
import RegistrationQueue
import Testing

/// What the daemon makes of the queue that it finds.
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

  /// After a kill the queue is looked through beside the work.
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
    // As a kill leaves it: nobody has noted a good end.
    try FileManager.default.removeItem(atPath: bench.path("state/queue.sqlite.mark"))
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
      try queue.close()
      #expect(try bench.runUntilDone() == 0, "\(bench.log)")
    }
    try keep([["limit": 1e300]])
    try keep(["limits": [["limit": 1e300, "period": -1]]])
    try keep("nonsense")
    #expect(bench.log.contains("is ignored"))
  }
}
