import Foundation
import GRDB
import Registration
import Testing

@testable import RegistrationQueue

/// What a start does with the files that it finds. Refusing changes nothing.
@Suite struct StartTests {
  @Test func anOlderDatabaseBesideANewerLogIsRefused() throws {
    let temporary = try TemporaryQueue()
    try temporary.add(keys(200), as: "a")
    try temporary.queue.checkpoint()
    let old = try temporary.bytes()
    try temporary.add(keys(200, from: 1_000), as: "b")
    try temporary.queue.checkpoint()
    try temporary.add(keys(200, from: 2_000), as: "c")
    let files = try temporary.copy()
    try old.write(to: files.database)
    try files.expectRefused(.corrupt, "do not belong together")
  }

  @Test func aNewerDatabaseBesideAnOlderLogIsRefused() throws {
    let temporary = try TemporaryQueue()
    try temporary.add(keys(200), as: "a")
    let old = try temporary.copy()
    try temporary.add(keys(200, from: 1_000), as: "b")
    try temporary.queue.checkpoint()
    let files = try temporary.copy()
    try Data(contentsOf: old.log).write(to: files.log)
    try files.expectRefused(.corrupt, "do not belong together")
  }

  @Test func theLogOfAnotherQueueIsRefused() throws {
    let temporary = try TemporaryQueue()
    let other = try TemporaryQueue()
    for queue in [temporary, other] { try queue.add(keys(50), as: "a") }
    let files = try temporary.copy()
    try Data(contentsOf: other.copy().log).write(to: files.log)
    try files.expectRefused(.corrupt, "do not belong together")
  }

  @Test func aDatabaseThatLostItsLogIsRefused() throws {
    let temporary = try TemporaryQueue()
    try temporary.add(keys(50), as: "a")
    try temporary.queue.checkpoint()
    let before = try temporary.bytes()
    try temporary.add(keys(50, from: 100), as: "b")
    try temporary.queue.checkpoint()
    let files = try temporary.copy()
    try FileManager.default.removeItem(at: files.log)
    try before.write(to: files.database)
    try files.expectRefused(.corrupt, "lost its log")
  }

  /// SQLite says so as soon as it is opened, before any code of ours has a connection that it could keep open.
  @Test(arguments: ["CREATE INDEX key_recorded", "CREATE TABLE memory", "sqlite_autoindex_registrar_1"])
  func aQueueWithALogWhoseSchemaCannotBeReadIsLeftAsItWas(text: String) throws {
    let temporary = try TemporaryQueue()
    try temporary.queue.checkpoint()
    try temporary.add(keys(50), as: "a")
    let files = try temporary.copy()
    var bytes = try Data(contentsOf: files.database)
    let place = try #require(bytes.firstRange(of: Data(text.utf8)))
    bytes[place.lowerBound] ^= 4
    try bytes.write(to: files.database)
    try files.expectRefused(.corrupt, "malformed database schema")
  }

  /// The start has numbered a commit before it reads the counters.
  @Test func aDatabaseWhoseCountersAreDamagedIsRefusedAndStays() throws {
    let temporary = try TemporaryQueue()
    try temporary.add(keys(50), as: "a")
    let page = try temporary.queue.read("find the counters") { database in
      try Int.fetchOne(database, sql: "SELECT rootpage FROM sqlite_schema WHERE name = 'tally'")
    }
    try temporary.queue.close()
    let files = try temporary.copy()
    var damaged = try Data(contentsOf: files.database)
    let start = (try #require(page) - 1) * 4_096
    damaged.replaceSubrange(start..<start + 4_096, with: Data(count: 4_096))
    try damaged.write(to: files.database)
    #expect {
      try RegistrationQueue(path: files.database.path)
    } throws: { error in
      (error as? QueueError)?.kind == .corrupt
    }
    #expect(try Data(contentsOf: files.database) == damaged)
  }

  @Test(arguments: [Data(), nil]) func anEmptyOrMissingFileWhereAQueueWasIsRefused(content: Data?) throws {
    let temporary = try TemporaryQueue()
    try temporary.add(keys(5), as: "a")
    try temporary.queue.close()
    let files = try temporary.copy()
    try FileManager.default.removeItem(at: files.database)
    try content?.write(to: files.database)
    try files.expectRefused(.missing, "a queue was here")
    let queue = try RegistrationQueue(path: files.database.path, isNewMeant: true)
    #expect(queue.tally.total == 0)
    try queue.close()
    try RegistrationQueue(path: files.database.path).close()
  }

  @Test func aLogWithoutItsQueueIsRefused() throws {
    let temporary = try TemporaryQueue()
    try temporary.add(keys(5), as: "a")
    let files = try temporary.copy()
    for file in [files.database, files.mark] { try FileManager.default.removeItem(at: file) }
    try files.expectRefused(.missing, "its log")
  }

  @Test func aQueueWithoutListsIsRefusedWhereListsWereAndANewOneIsNot() throws {
    let temporary = try TemporaryQueue()
    let path = temporary.folder.appending(path: "other.sqlite").path
    let evidence = receipts(of: "a", "b")
    #expect { try RegistrationQueue(path: path, evidence: evidence) } throws: { error in
      (error as? QueueError)?.kind == .missing && "\(error)".contains("done has receipts")
    }
    #expect(!FileManager.default.fileExists(atPath: path))
    let queue = try RegistrationQueue(path: path, isNewMeant: true, evidence: evidence)
    try queue.leaveToEarlierQueue(["a", "b"])
    try queue.close()
    // The permission is stored: the next start accepts the queue.
    try RegistrationQueue(path: path, evidence: evidence).close()
    #expect { try RegistrationQueue(path: path, evidence: receipts(of: "c")) } throws: {
      ($0 as? QueueError)?.kind == .missing
    }
  }

  @Test func aSpoolThatCannotBeComparedIsNoFaultOfTheQueue() throws {
    struct Unreadable: Error {}
    let temporary = try TemporaryQueue()
    let path = temporary.folder.appending(path: "other.sqlite").path
    #expect(throws: Unreadable.self) { try RegistrationQueue(path: path, evidence: { _ in throw Unreadable() }) }
    let queue = try RegistrationQueue(path: path)
    #expect(throws: Unreadable.self) { try queue.compare { _ in throw Unreadable() } }
    try queue.close()
    #expect(throws: Unreadable.self) { try RegistrationQueue(path: path, evidence: { _ in throw Unreadable() }) }
    try RegistrationQueue(path: path).close()
  }

  @Test func aQueueThatDoesNotKnowAListOfTheSpoolIsRefusedAndLeft() throws {
    let temporary = try TemporaryQueue()
    try temporary.add(keys(5), as: "a")
    let files = try temporary.copy()
    let before = try [files.database, files.log, files.mark].map { try Data(contentsOf: $0) }
    #expect { try RegistrationQueue(path: files.database.path, evidence: receipts(of: "a", "b")) } throws: { error in
      (error as? QueueError)?.kind == .corrupt && "\(error)".contains("older than its spool")
    }
    #expect(try [files.database, files.log, files.mark].map { try Data(contentsOf: $0) } == before)
    let queue = try RegistrationQueue(path: files.database.path, isOlderMeant: true, evidence: receipts(of: "a", "b"))
    #expect(try queue.isOlderMeant)
    try queue.close()
    // A kill before the spool was compared does not change that.
    let again = try RegistrationQueue(path: files.database.path, evidence: receipts(of: "a", "b"))
    try again.noteCompared()
    try again.close()
    #expect(throws: QueueError.self) {
      try RegistrationQueue(path: files.database.path, evidence: receipts(of: "a", "b"))
    }
  }

  @Test func anotherProgramsDatabaseIsRefused() throws {
    let temporary = try TemporaryQueue()
    let path = temporary.folder.appending(path: "other.sqlite").path
    let other = try DatabaseQueue(path: path)
    try other.write { try $0.execute(sql: "CREATE TABLE song (title TEXT)") }
    try other.close()
    let before = try Data(contentsOf: URL(filePath: path))
    #expect { try RegistrationQueue(path: path) } throws: { ($0 as? QueueError)?.kind == .corrupt }
    #expect(try Data(contentsOf: URL(filePath: path)) == before)
  }

  /// Every bit of the header: refused, or harmless.
  @Test func aFlippedBitInTheHeaderIsRefusedOrHarmless() throws {
    let temporary = try TemporaryQueue()
    try temporary.add(keys(20), as: "a")
    try temporary.queue.close()
    let files = try temporary.copy()
    let whole = try Data(contentsOf: files.database)
    var refused = 0
    for bit in 0..<800 {
      var damaged = whole
      damaged[bit / 8] ^= 1 << (bit % 8)
      do throws(DatabaseHeaderError) {
        _ = try DatabaseHeader(Array(damaged.prefix(100)))
        // The schema cookie, the suggested cache, the number of commits, and the version that wrote last.
        let harmless = [40..<44, 48..<52, 60..<64, 96..<100, 28..<32, 32..<36, 36..<40]
        let byte = bit / 8
        #expect(harmless.contains { $0.contains(byte) }, "byte \(byte), bit \(bit % 8)")
      } catch {
        refused += 1
      }
    }
    #expect(refused > 560)
    for byte in [0, 18, 24, 33, 44, 56, 70] {
      var damaged = whole
      damaged[byte] ^= 0x10
      try damaged.write(to: files.database)
      try files.expectRefused(.corrupt)
    }
  }

  @Test func aDamagedSchemaIsRefused() throws {
    let temporary = try TemporaryQueue()
    try temporary.queue.close()
    let files = try temporary.copy()
    var bytes = try Data(contentsOf: files.database)
    let place = try #require(bytes.firstRange(of: Data("WHERE owned_open > 0".utf8)))
    bytes[place.lowerBound + 19] = UInt8(ascii: "1")
    try bytes.write(to: files.database)
    try files.expectRefused(.corrupt, "its schema is damaged")
  }

  @Test func aDatabaseThatWasCutOffIsRefused() throws {
    let temporary = try TemporaryQueue()
    try temporary.add(keys(500), as: "a")
    try temporary.queue.close()
    let files = try temporary.copy()
    try Data(contentsOf: files.database).dropLast(4_096).write(to: files.database)
    try files.expectRefused(.corrupt, "cut off")
  }

  /// SQLite would take this for the end of the log, and silently drop every later commit.
  @Test func aLogThatIsDamagedBeforeItsLastCommitIsRefused() throws {
    let temporary = try TemporaryQueue()
    for number in 0..<10 { try temporary.add(keys(5, from: UInt64(number) * 10), as: "list-\(number)") }
    let files = try temporary.copy()
    var bytes = try Data(contentsOf: files.log)
    bytes[bytes.count / 2] ^= 4
    try bytes.write(to: files.log)
    try files.expectRefused(.corrupt, "damaged in the middle")
  }

  @Test func aFlippedBitInTheHeaderOfTheLogIsRefused() throws {
    let temporary = try TemporaryQueue()
    for number in 0..<3 { try temporary.add(keys(5, from: UInt64(number) * 10), as: "list-\(number)") }
    let files = try temporary.copy()
    let whole = try Data(contentsOf: files.log)
    for byte in [0, 8, 16, 24, 31] {
      var damaged = whole
      damaged[byte] ^= 2
      try damaged.write(to: files.log)
      try files.expectRefused(.corrupt)
    }
  }

  /// What a power cut leaves of the last transaction is not damage: it was never promised.
  @Test func aTornLastTransactionIsForgotten() throws {
    let temporary = try TemporaryQueue()
    try temporary.add(keys(5), as: "a")
    let list = try temporary.begin("b")
    let promised = try temporary.copy()
    let length = try Data(contentsOf: promised.log).count
    var batch = ImportBatch()
    batch.keys = keys(50, from: 100)
    try temporary.queue.importBatch(batch, into: list.id, of: temporary.source("b"))
    let files = try temporary.copy()
    let whole = try Data(contentsOf: files.log)
    try Data(contentsOf: promised.mark).write(to: files.mark)
    for cut in stride(from: length, to: whole.count, by: 1_111) {
      try files.restore(from: promised, log: whole.prefix(cut))
      #expect(try RegistrationQueue(path: files.database.path).tally.total == 5)
      // Any of its frames may be missing while the others are there.
      var torn = whole
      for byte in cut..<min(cut + 512, whole.count) { torn[byte] ^= 0xff }
      try files.restore(from: promised, log: torn)
      #expect(try RegistrationQueue(path: files.database.path).tally.total == 5)
    }
  }

  @Test func whatAKillLeavesIsTaken() throws {
    let temporary = try TemporaryQueue()
    var random = SplitMix64(seed: 5)
    for step in 0..<60 {
      try temporary.add(keys(3, from: UInt64(step) * 10), as: "list-\(step)")
      if Int.random(in: 0..<6, using: &random) == 0 { try temporary.queue.checkpoint() }
      if Int.random(in: 0..<9, using: &random) == 0 { try temporary.reopen() }
      let files = try temporary.copy()
      let queue = try RegistrationQueue(path: files.database.path)
      #expect(queue.tally.total == 3 * (step + 1) && queue.isCheckDue)
      #expect(try QueueCheck(queue).run() == .sound)
      try queue.close()
      #expect(try !RegistrationQueue(path: files.database.path).isCheckDue)
    }
  }

  /// An edited file can have wrong counts; adding them must not end the daemon.
  @Test(arguments: [Int64.max, .min]) func countsThatNobodyCanHaveCountedAreBounded(count: Int64) throws {
    let temporary = try TemporaryQueue()
    try temporary.add(keys(3), as: "a")
    try temporary.queue.pool.write { database in
      try database.execute(sql: "UPDATE tally SET count = ?", arguments: [count])
      try database.execute(
        sql: "UPDATE list SET pending = ?1, registered = ?1, failed = ?1, bytes = ?1, accepted = ?1", arguments: [count]
      )
    }
    let list = try #require(try temporary.queue.list(named: "a"))
    #expect(list.keys.total >= 0 && list.keys.open >= 0 && list.bytes >= 0)
    #expect(try temporary.queue.pool.read(Tally.stored).total >= 0)
  }

  @Test func aNoteThatDoesNotReadSaysNothing() throws {
    let temporary = try TemporaryQueue()
    try temporary.add(keys(3), as: "a")
    let files = try temporary.copy()
    let text = try String(contentsOf: files.mark, encoding: .utf8)
    for damaged in ["", "x", String(text.dropLast(3)), text.replacingOccurrences(of: "open", with: "closed")] {
      try damaged.write(to: files.mark, atomically: false, encoding: .utf8)
      let queue = try RegistrationQueue(path: files.database.path)
      #expect(queue.isCheckDue && queue.tally.total == 3)
      try queue.close()
    }
  }

  @Test func whatIsRememberedInAnotherShapeIsIgnored() throws {
    let temporary = try TemporaryQueue()
    for text in ["1e300", "{}", "[1e999]", "nonsense", "{\"pause\":18446744073709551616}"] {
      try temporary.queue.pool.write { database in
        try RegistrationQueue.keep(text: text, named: "thing", in: database)
      }
      var ignored = 0
      let value = try temporary.queue.recall([String: Int].self, named: "thing") { _ in ignored += 1 }
      #expect(value?.isEmpty ?? (ignored == 1))
    }
  }
}
