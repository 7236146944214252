import Foundation
import GRDB
import Registration
import Testing

@testable import RegistrationQueue

/// What a start makes of the files that it finds. Refusing changes nothing.
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

  /// What a spool with the receipts of these lists shows.
  private func receipts(of names: String...) -> (KnownLists) throws -> SpoolEvidence? {
    { known in
      let unknown = try names.filter { try known.standing(of: $0) == .unknown }
      return unknown.first.map { SpoolEvidence(folder: "done", what: "receipts", lists: unknown.count, first: $0) }
    }
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
    // That it was meant is kept: the next start takes no offence.
    try RegistrationQueue(path: path, evidence: evidence).close()
    #expect { try RegistrationQueue(path: path, evidence: receipts(of: "c")) } throws: {
      ($0 as? QueueError)?.kind == .missing
    }
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
    // A kill before the spool was compared changes nothing of what was meant.
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

  /// Every bit of the header: refused, or of no consequence.
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

  /// SQLite takes the log for ended there, and would drop every later commit without a word.
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

  /// What a power cut may leave of the last transaction is no damage: it was never promised.
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
      // Any of its frames may be missing, the others there.
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

  /// A kill while the very first queue was made: the file is there, and no table of ours, or only that of the migrations.
  @Test(arguments: [false, true]) func aQueueThatWasOnlyBegunIsBegunAgain(hasMigrations: Bool) throws {
    let temporary = try TemporaryQueue()
    let path = temporary.folder.appending(path: "begun.sqlite").path
    let begun = try DatabaseQueue(path: path)
    try begun.write { database in
      try database.execute(sql: "PRAGMA application_id = \(DatabaseHeader.applicationID)")
      if hasMigrations {
        try database.execute(sql: "CREATE TABLE grdb_migrations (identifier TEXT NOT NULL PRIMARY KEY)")
      }
    }
    try begun.close()
    #expect(try RegistrationQueue(path: path).tally.total == 0)
  }

  /// Whoever edits the file can make the counts wrong; adding them up ends nothing.
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

  /// It has no numbers and no note, and its times are those of the wall clock.
  @Test func aQueueOfAnEarlierVersionIsTaken() throws {
    let temporary = try TemporaryQueue()
    let old = QueueFiles(folder: temporary.folder.appending(path: "old"))
    try FileManager.default.createDirectory(at: old.folder, withIntermediateDirectories: true)
    let pool = try DatabasePool(path: old.database.path)
    try Schema.migrator.migrate(pool, upTo: "1")
    try pool.write { database in
      try database.execute(
        sql: """
          INSERT INTO list (id, name, source, sha256, bytes, format, forced, arrived_at) VALUES (1, 'a', x'61', '', 1, '', 0, 0);
          INSERT INTO key (uuid, list_id, state, due_at) VALUES (zeroblob(16), 1, 1, ?);
          UPDATE tally SET count = 1 WHERE state = 1
          """, arguments: [temporary.clock.wall.adding(seconds: 90).milliseconds])
    }
    // As a kill leaves it.
    let files = try old.sibling()
    try Data(contentsOf: old.database).write(to: files.database)
    try Data(contentsOf: old.log).write(to: files.log)
    let queue = try RegistrationQueue(
      path: files.database.path, readClock: temporary.clock.read, evidence: receipts(of: "a"))
    #expect(queue.tally.total == 1 && queue.isCheckDue)
    #expect(try queue.secondsUntilDue() == 90)
    try queue.close()
    try RegistrationQueue(path: files.database.path).close()
    try pool.close()
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

/// What the look through the whole queue finds.
@Suite struct CheckTests {
  @Test func aSoundQueueIsFoundSound() throws {
    let temporary = try TemporaryQueue()
    try temporary.add(keys(6_000), as: "a")
    for key in try temporary.due(20) { try temporary.record(key, .failed, status: 404) }
    for key in try temporary.due(20) { try temporary.record(key, .registered, status: 201) }
    var parts: [String] = []
    #expect(try QueueCheck(temporary.queue).run { parts.append($0) } == .sound)
    #expect(parts.contains("key") && parts.last == "indexes")
  }

  @Test func damageEndsEveryWriteAndIsLookedForAgainAtTheNextStart() throws {
    let temporary = try TemporaryQueue()
    try temporary.add(keys(3_000), as: "a")
    try temporary.queue.close()
    let files = try temporary.copy()
    var bytes = try Data(contentsOf: files.database)
    // The sixteen bytes of one key, in the table or in the index.
    let place = try #require(bytes.firstRange(of: Data(keys(1, from: 1_500)[0].bytes)))
    bytes[place.lowerBound] ^= 1
    try bytes.write(to: files.database)
    for round in 0..<2 {
      let queue = try RegistrationQueue(path: files.database.path)
      #expect(queue.isSuspect == (round > 0))
      guard case .damaged = try QueueCheck(queue).run() else {
        Issue.record("not found")
        return
      }
      #expect { try queue.remember(1, named: "thing") } throws: { ($0 as? QueueError)?.kind == .disk }
      #expect { try queue.dueKeys(limit: 1, except: [], horizon: 1) } throws: { error in
        "\(error)".contains("keyreg restore")
      }
      #expect(try queue.outcomes(limit: 1).rows.count == 1)
    }
    // Mended: the look ends the suspicion.
    let mended = try files.sibling()
    try mended.restore(from: files, log: Data(contentsOf: files.log))
    bytes = try Data(contentsOf: files.database)
    bytes[place.lowerBound] ^= 1
    try bytes.write(to: mended.database)
    let queue = try RegistrationQueue(path: mended.database.path)
    #expect(queue.isSuspect)
    #expect(try QueueCheck(queue).run() == .sound)
    try queue.close()
    #expect(try !RegistrationQueue(path: mended.database.path).isSuspect)
  }

  @Test func anOrderToStopEndsIt() throws {
    let temporary = try TemporaryQueue()
    try temporary.add(keys(3_000), as: "a")
    let check = try QueueCheck(temporary.queue)
    #expect(try check.run { part in if part == "key" { check.stop() } } == .stopped)
  }
}
