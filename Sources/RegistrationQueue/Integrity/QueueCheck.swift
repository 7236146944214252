import Foundation
import GRDB
import GRDBSQLite
import Synchronization

/// Checks the whole queue while work goes on, in parts: one table with its indexes at a time (SQLite's
/// `integrity_check`), then the counters. Of the keys, the largest table, SQLite checks the trees alone (`quick_check`);
/// then each key is compared with the indexes, some thousands at a time.
///
/// It has its own read-only connection, so that nobody waits for it and it can be stopped at once. A part sees one
/// moment of the queue, and the log cannot restart while it runs; dividing the check into parts limits that.
package final class QueueCheck: Sendable {
  package enum Ending: Hashable, Sendable {
    case sound
    /// What is wrong, in SQLite's words or ours.
    case damaged(String)
    /// `stop` was called.
    case stopped
  }

  private let queue: RegistrationQueue
  private let connection: DatabaseQueue
  private let isStopped = Mutex(false)

  /// Keys looked up in one read.
  private static let stride = 5_000

  /// Throws `QueueError` when the queue cannot be opened again.
  package init(_ queue: RegistrationQueue) throws {
    self.queue = queue
    var configuration = RegistrationQueue.configuration
    configuration.readonly = true
    configuration.label = "queue.check"
    do {
      connection = try DatabaseQueue(path: queue.pool.path, configuration: configuration)
    } catch {
      throw QueueError(error, doing: "open the queue to check it")
    }
  }

  /// Ends `run` soon. Any thread may call.
  package func stop() {
    isStopped.withLock { $0 = true }
    connection.interrupt()
  }

  /// Blocks until everything was checked, or damage was found. Damage seals the queue; a sound queue clears an earlier
  /// suspicion. Throws `QueueError` when the disk cannot be read.
  ///
  /// - Parameter part: Called before each part with its name.
  package func run(part: (String) -> Void = { _ in }) throws -> Ending {
    do {
      let damage = try firstDamage(part)
      if isStopped.withLock({ $0 }) { return .stopped }
      guard let damage else {
        try queue.noteSound()
        return .sound
      }
      queue.seal(damage)
      return .damaged(damage)
    } catch let error as DatabaseError where error.resultCode == .SQLITE_INTERRUPT {
      return .stopped
    } catch let error as DatabaseError where [.SQLITE_CORRUPT, .SQLITE_NOTADB].contains(error.resultCode) {
      let damage = error.message ?? "malformed"
      queue.seal(damage)
      return .damaged(damage)
    } catch let error as QueueError {
      throw error
    } catch {
      throw QueueError(error, doing: "check the queue")
    }
  }

  private func firstDamage(_ part: (String) -> Void) throws -> String? {
    let tables = try connection.read { database in
      try String.fetchAll(
        database, sql: "SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name = 'key', name")
    }
    for table in tables {
      part(table)
      let quoted = table.replacingOccurrences(of: "'", with: "''")
      let pragma = table == "key" ? "quick_check" : "integrity_check"
      let found = try connection.read { database in
        try String.fetchOne(database, sql: "PRAGMA \(pragma)('\(quoted)')")
      }
      guard let found, found != "ok" else { continue }
      guard !Self.isUnread(found) else { throw QueueError.uncheckable(found) }
      return found
    }
    part("counters")
    if let found = try connection.read(Self.wrongCounter) { return found }
    part("indexes")
    return try firstLostKey()
  }

  /// SQLite lists a page that could not be read among the damaged ones. It may be sound: the disk failed, or memory.
  static func isUnread(_ finding: String) -> Bool {
    let lines = finding.split(separator: "\n").filter { !$0.hasPrefix("***") }
    return !lines.isEmpty
      && lines.allSatisfy { line in
        guard let words = line.range(of: "unable to get the page. error code="),
          let code = Int32(line[words.upperBound...])
        else { return false }
        return [SQLITE_IOERR, SQLITE_NOMEM, SQLITE_BUSY, SQLITE_CANTOPEN].contains(code & 0xff)
      }
  }

  /// More keys than fit on any machine.
  private static let largestCount: Int64 = 1 << 53

  /// Counts what an index alone can count: the open keys.
  private static func wrongCounter(in database: Database) throws -> String? {
    let list = try Row.fetchOne(
      database,
      sql: """
        SELECT name FROM list
        WHERE MIN(pending, retrying, registered, failed, cancelled, owned_open, entries, accepted) < 0
          OR MAX(pending, retrying, registered, failed, cancelled, owned_open, entries, accepted) > ?
        """, arguments: [largestCount])
    if let list { return "a count of the list \(list[0] as String) is impossible" }
    let tally = try Row.fetchOne(
      database, sql: "SELECT 1 FROM tally WHERE count < 0 OR count > ?", arguments: [largestCount])
    if tally != nil { return "a count of the tally is impossible" }
    let states = try Int.fetchAll(database, sql: "SELECT state FROM tally ORDER BY state")
    guard states == Array(0...4) else { return "the tally does not have its five states" }
    for (state, index) in [(0, "key_pending"), (1, "key_retrying"), (3, "key_failed")] {
      let counted = try Int.fetchOne(
        database, sql: "SELECT COUNT(*) FROM key INDEXED BY \(index) WHERE state = \(state)")
      let stored = try Int.fetchOne(database, sql: "SELECT count FROM tally WHERE state = \(state)")
      if counted != stored {
        return "\(stored ?? 0) keys in state \(state) by the tally, \(counted ?? 0) by their index"
      }
    }
    return nil
  }

  /// Each row is found by its sixteen bytes and by its list, and is in the index of open, failed or recorded keys exactly
  /// if it is such a key. The partial indexes answer without the row; the plus keeps SQLite from reading the row itself.
  private static let sound = """
    length(part.uuid) = 16 AND part.state BETWEEN 0 AND 4
      AND EXISTS (SELECT 1 FROM key AS twin WHERE twin.uuid = part.uuid AND +twin.id = part.id)
      AND EXISTS (SELECT 1 FROM key AS twin INDEXED BY key_by_list WHERE twin.list_id = part.list_id AND twin.id = part.id)
      AND EXISTS (SELECT 1 FROM list WHERE list.id = part.list_id)
      AND (part.state = 0) = EXISTS (SELECT 1 FROM key AS twin INDEXED BY key_pending
        WHERE twin.state = 0 AND twin.list_id = part.list_id AND twin.id = part.id)
      AND (part.state = 1) = EXISTS (SELECT 1 FROM key AS twin INDEXED BY key_retrying
        WHERE twin.state = 1 AND twin.due_at IS part.due_at AND twin.id = part.id)
      AND (part.state = 3) = EXISTS (SELECT 1 FROM key AS twin INDEXED BY key_failed
        WHERE twin.state = 3 AND twin.id = part.id)
      AND (part.recorded IS NOT NULL) = EXISTS (SELECT 1 FROM key AS twin INDEXED BY key_recorded
        WHERE twin.recorded = part.recorded AND twin.id = part.id)
    """

  /// Compares each key with the indexes, in reads of some thousands.
  private func firstLostKey() throws -> String? {
    var cursor: Int64 = 0
    while !isStopped.withLock({ $0 }) {
      let (last, lost) = try connection.read { database in
        let row = try Row.fetchOne(
          try database.cachedStatement(
            sql: """
              SELECT MAX(part.id), MIN(CASE WHEN \(Self.sound) THEN NULL ELSE part.id END)
              FROM (SELECT * FROM key WHERE id > ? ORDER BY id LIMIT \(Self.stride)) AS part
              """), arguments: [cursor])
        return (row?[0] as Int64?, row?[1] as Int64?)
      }
      if let lost { return "row \(lost) of the keys does not agree with its indexes" }
      guard let last else { return nil }
      cursor = last
    }
    return nil
  }
}
