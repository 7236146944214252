import Foundation
import GRDB
import Registration
import Testing

@testable import RegistrationQueue

/// Queues that were begun, or that an earlier version wrote.
@Suite struct MigrationTests {
  /// A kill during the first creation: the file exists, but without tables of ours, or only with that of the
  /// migrations.
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

  /// It has no commit numbers and no mark, and its times are wall-clock times.
  @Test(arguments: ["1", "queue-latest", "replies-1", "reading-1", "history-1"])
  func aQueueOfAnEarlierVersionIsTakenAndACopyIsKept(version: String) throws {
    let temporary = try TemporaryQueue()
    let old = QueueFiles(folder: temporary.folder.appending(path: "old"))
    try FileManager.default.createDirectory(at: old.folder, withIntermediateDirectories: true)
    let pool = try DatabasePool(path: old.database.path)
    try Schema.migrator.migrate(pool, upTo: version)
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
    let copy = try #require(queue.earlier)
    #expect(copy == files.database.path + ".schema-\(version)")
    try queue.close()
    // As it was: the earlier version can go back to it.
    let (last, count) = try DatabaseQueue(path: copy).read { database in
      (
        try Schema.migrator.completedMigrations(database).last,
        try Int.fetchOne(database, sql: "SELECT count(*) FROM key WHERE state = 1")
      )
    }
    #expect(last == version && count == 1)
    let again = try RegistrationQueue(path: files.database.path)
    #expect(again.earlier == nil)
    try again.close()
    try pool.close()
  }
}
