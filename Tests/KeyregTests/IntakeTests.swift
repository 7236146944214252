import ControlAPI
import Crypto
import Foundation
import Testing

/// How lists arrive from various programs: no byte that was in `incoming/` is lost.
@Suite struct IntakeTests {
  @Test func aPostedListIsAnsweredInFullAndARefusalHasItsHint() throws {
    let bench = try Bench()
    let daemon = try bench.start()
    let receipt = String(decoding: try bench.client.submit(Array(lines(randomKeys(2)).utf8), name: "a"), as: UTF8.self)
    #expect(receipt.hasSuffix("}\n") && !receipt.hasSuffix("\n\n"), "\(receipt)")
    let error = #expect(throws: ControlClientError.self) {
      try bench.client.submit(Array("no key\n".utf8), name: "words")
    }
    guard case .refused(422, "unprocessable", let message, let hint?) = error else {
      Issue.record("\(String(describing: error))")
      return
    }
    #expect(!hint.isEmpty && !message.contains(hint))
    bench.stop(daemon)
  }

  private func sha256(_ path: String) throws -> String {
    SHA256.hash(data: try Data(contentsOf: URL(filePath: path))).map { byte in
      (byte < 16 ? "0" : "") + String(byte, radix: 16)
    }.joined()
  }

  private func isWholeInDone(_ bench: Bench, _ name: String) throws -> Bool {
    try bench.receipt(name)["sha256"] as? String == sha256(bench.spool("done/" + name))
  }

  private func append(_ text: String, to path: String) throws {
    let descriptor = open(path, O_WRONLY | O_CREAT | O_APPEND, 0o644)
    try #require(descriptor >= 0)
    let handle = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
    try handle.write(contentsOf: Data(text.utf8))
    try handle.close()
  }

  @Test func aLoopOfAppendsIsOneList() throws {
    let bench = try Bench()
    let daemon = try bench.start()
    let keys = randomKeys(2_000)
    for start in stride(from: 0, to: keys.count, by: 20) {
      try append(lines(keys[start..<start + 20]), to: bench.spool("incoming/x"))
    }
    try bench.await { $0.keys.registered == 2_000 && $0.lists.active == 0 && $0.lists.incoming == 0 }
    bench.stop(daemon)
    #expect(try bench.names(in: "done").count % 2 == 0)
    for name in try bench.names(in: "done") where !name.hasSuffix(".json") { #expect(try isWholeInDone(bench, name)) }
  }

  @Test func whatIsAppendedByNameAfterTheClaimIsAnotherList() throws {
    let bench = try Bench()
    let daemon = try bench.start()
    try bench.drop(lines(randomKeys(10)), as: "x")
    try bench.await { $0.keys.registered == 10 }
    try append(lines(randomKeys(1)), to: bench.spool("incoming/x"))
    try bench.await { $0.keys.registered == 11 && $0.lists.active == 0 && $0.lists.incoming == 0 }
    bench.stop(daemon)
    #expect(try bench.names(in: "done") == ["x", "x.2", "x.2.receipt.json", "x.receipt.json"])
    for name in ["x", "x.2"] { #expect(try isWholeInDone(bench, name)) }
  }

  /// A writer that stalls: its list is taken, and what it writes later is read wherever the list is.
  @Test(arguments: [false, true]) func whatAStalledWriterStillWritesBelongsToItsList(restarts: Bool) throws {
    let bench = try Bench()
    var daemon = try bench.start()
    let keys = randomKeys(30)
    let handle = try bench.dropOpen(lines(keys.prefix(10)), as: "x")
    try bench.await { $0.keys.registered == 10 && bench.exists("done/x") }
    if restarts { bench.stop(daemon) }
    try handle.write(contentsOf: Data(lines(keys[10..<20]).utf8))
    if restarts { daemon = try bench.start() }
    try bench.await { $0.keys.registered == 20 && $0.lists.active == 0 }
    try handle.write(contentsOf: Data((lines(keys[20..<30]) + "not an id\n").utf8))
    try handle.close()
    try bench.await { $0.keys.registered == 30 && $0.lists.active == 0 }
    #expect(try bench.run("status", "x", "--wait").code == 0)
    bench.stop(daemon)
    #expect(try bench.runUntilDone() == 0)
    #expect(try isWholeInDone(bench, "x"))
    let receipt = try #require(try bench.receipt("x")["keys"] as? [String: Int])
    #expect(receipt == ["accepted": 30, "already_known": 0, "duplicate_in_list": 0, "invalid": 1])
    #expect(try bench.results("x").map { String($0.prefix(36)) } == keys)
    #expect(try bench.journal().count == 30)
  }

  @Test func aRejectedListThatGetsAKeyIsAList() throws {
    let bench = try Bench()
    let daemon = try bench.start()
    let key = randomKeys(1)
    let handle = try bench.dropOpen("nothing here\n", as: "x")
    try bench.await { _ in bench.exists("rejected/x") }
    try handle.write(contentsOf: Data(lines(key).utf8))
    try handle.close()
    try bench.await { $0.keys.registered == 1 && $0.lists.active == 0 }
    bench.stop(daemon)
    #expect(try bench.names(in: "rejected").isEmpty)
    #expect(try isWholeInDone(bench, "x"))
    #expect((try bench.receipt("x")["invalid"] as? [Any])?.count == 1)
  }

  @Test func halfAnIdIsNoKeyUntilTheFileIsStill() throws {
    let bench = try Bench()
    let daemon = try bench.start()
    let keys = randomKeys(2)
    let handle = try bench.dropOpen(keys[0] + "\n" + keys[1].prefix(20), as: "x")
    try bench.await { $0.keys.registered == 1 && bench.exists("done/x") }
    let first = try bench.receipt("x")
    #expect(first["unterminated"] as? Bool == true)
    #expect((first["keys"] as? [String: Int])?["invalid"] == 1)
    // It becomes a complete key: there is no bad line any more.
    try handle.write(contentsOf: Data((keys[1].dropFirst(20) + "\n").utf8))
    try handle.close()
    try bench.await { $0.keys.registered == 2 && $0.lists.active == 0 }
    bench.stop(daemon)
    let second = try bench.receipt("x")
    #expect(second["unterminated"] as? Bool == false)
    #expect(
      second["keys"] as? [String: Int] == ["accepted": 2, "already_known": 0, "duplicate_in_list": 0, "invalid": 0])
    #expect(try isWholeInDone(bench, "x"))
  }

  /// Left by a kill between the last commit and the note that the list was filed.
  @Test func aListThatWasReadAndNotFiledIsFiledAtTheNextStart() throws {
    let bench = try Bench()
    try bench.drop(lines(randomKeys(3)), as: "x")
    #expect(try bench.runUntilDone() == 0)
    // The state after a kill before the move, and after one before the note.
    try FileManager.default.moveItem(atPath: bench.spool("done/x"), toPath: bench.spool("reading/x"))
    #expect(try bench.runUntilDone() == 0)
    #expect(try bench.names(in: "done") == ["x", "x.receipt.json"])
    #expect(try bench.journal().count == 3)
  }

  @Test func anUploadUnderATemporaryNameIsReadUnderItsRealOne() throws {
    let bench = try Bench()
    let daemon = try bench.start()
    let keys = randomKeys(4)
    for (index, ending) in [".part", ".crdownload", ".Uploading", "~"].enumerated() {
      let name = bench.spool("incoming/up\(index)")
      try append(keys[index], to: name + ending)
      try bench.drop(lines(randomKeys(1)), as: "passes-\(index)")
      try bench.await { $0.keys.registered == 2 * index + 1 && $0.lists.active == 0 }
      try append("\n", to: name + ending)
      #expect(rename(name + ending, name) == 0)
      try bench.await { $0.keys.registered == 2 * index + 2 && $0.lists.active == 0 }
    }
    bench.stop(daemon)
    #expect(try bench.names(in: "rejected").isEmpty)
  }

  /// As `rsync --inplace --times` and `touch -r` leave it: other bytes, but the same size and modification time.
  private func rewrite(_ path: String, _ content: String, _ bench: Bench) throws {
    let status = try status(path)
    try #require(status.st_size == content.utf8.count)
    try awaitTick(after: path, bench)
    try content.write(toFile: path, atomically: false, encoding: .utf8)
    try #require(utimensat(AT_FDCWD, path, [status.st_atim, status.st_mtim], 0) == 0)
  }

  private func status(_ path: String) throws -> stat {
    var status = stat()
    try #require(stat(path, &status) == 0)
    return status
  }

  /// Changes within one tick of the kernel's clock cannot be told apart.
  private func awaitTick(after path: String, _ bench: Bench) throws {
    let scratch = bench.path("tick")
    func milliseconds(_ path: String) throws -> Int {
      let time = try status(path).st_ctim
      return time.tv_sec * 1_000 + time.tv_nsec / 1_000_000
    }
    repeat {
      try "".write(toFile: scratch, atomically: true, encoding: .utf8)
    } while try milliseconds(scratch)
      <= milliseconds(path)
  }

  @Test(arguments: [false, true]) func aRewriteWhoseTimeWasPutBackIsRead(restarts: Bool) throws {
    let bench = try Bench()
    var daemon = try bench.start()
    try bench.drop(lines(randomKeys(2)), as: "x")
    try bench.drop("no id at all, and just as many bytes\n", as: "y")
    try bench.await { $0.keys.registered == 2 && $0.lists.active == 0 && bench.exists("rejected/y") }
    if restarts { bench.stop(daemon) }
    let keys = randomKeys(3)
    try rewrite(bench.spool("done/x"), lines(keys[0..<2]), bench)
    try rewrite(bench.spool("rejected/y"), lines(keys[2..<3]), bench)
    if restarts { daemon = try bench.start() }
    try bench.await { $0.keys.registered == 5 && $0.lists.active == 0 && $0.lists.total == 2 }
    bench.stop(daemon)
    for name in ["x", "y"] { #expect(try isWholeInDone(bench, name)) }
  }

  @Test func aRejectedListThatIsRemovedIsCountedNoMore() throws {
    let bench = try Bench()
    let daemon = try bench.start()
    for name in ["x", "y", "z"] { try bench.drop("no id at all\n", as: name) }
    try bench.await { $0.lists.rejected == 3 }
    #expect(unlink(bench.spool("rejected/x")) == 0)
    #expect(rename(bench.spool("rejected/y"), bench.path("y")) == 0)
    try bench.await { $0.lists.rejected == 1 }
    let names = try bench.run("lists").output.split(separator: "\n").filter { !$0.hasPrefix(" ") }.map { $0.prefix(1) }
    #expect(names == ["z"])
    bench.stop(daemon)
  }

  /// A changed entry makes the file be checked, once.
  @Test func aFiledListWithAnotherModeIsTheSameList() throws {
    let bench = try Bench()
    try bench.drop(lines(randomKeys(2)), as: "x")
    try bench.drop("nothing here\n", as: "y")
    #expect(try bench.runUntilDone() == 65)
    try awaitTick(after: bench.spool("done/x"), bench)
    chmod(bench.spool("done/x"), 0o600)
    #expect(try bench.runUntilDone() == 0)
    #expect(try bench.journal().count == 2)
    #expect(bench.log.components(separatedBy: "list imported").count == 2)
    #expect(bench.log.components(separatedBy: "list rejected").count == 2)
  }

  /// As in production: the daemon is not the user who drops lists.
  @Test func aListThatCannotBeReadIsReportedAndHoldsNothingUp() throws {
    let bench = try Bench()
    if geteuid() == 0 { try bench.runAsNobody() }
    try bench.drop(lines(randomKeys(2)), as: "good")
    try bench.drop(lines(randomKeys(2)), as: "closed")
    chmod(bench.spool("incoming/closed"), 0)
    #expect(try bench.runUntilDone() == 77)
    #expect(bench.log.contains("incoming/closed cannot be read"))
    #expect(try bench.names(in: "incoming") == ["closed"])
    #expect(try bench.results("good").count == 2)
    let daemon = try bench.start()
    // Counted once.
    let status = try bench.await { $0.lists.blocked == 1 }
    #expect(status.lists.incoming == 0 && status.lists.unreadable == 1)
    #expect(status.state == .idle && status.reason == "1 list cannot be read; keyreg lists shows why")
    let lists = try bench.run("lists").output
    #expect(lists.contains("closed  blocked") && lists.contains("hint: chmod"))
    for arguments in [["status", "closed"], ["status", "closed", "--wait"]] {
      let outcome = try bench.run(arguments)
      #expect(outcome.code == 77 && outcome.errors.contains("hint: chmod"), "\(outcome)")
    }
    #expect(try bench.run("status").output.contains("1 blocked, 0 rejected; keyreg lists shows why"))
    bench.stop(daemon)
    chmod(bench.spool("incoming/closed"), 0o644)
    #expect(try bench.runUntilDone() == 0)
    #expect(try bench.results("closed").count == 2)
  }
}
