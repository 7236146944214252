import Foundation
import GRDB
import Synchronization

/// Looks the whole queue through beside the work, in parts: the trees of one table and its indexes at a time (SQLite's
/// `quick_check`), then the counters, then each key against the indexes, some thousand at a time.
///
/// On a connection of its own that only reads, so that nobody waits for it and an order to stop ends it at once. A part
/// sees one moment of the queue and keeps the log from being begun anew while it lasts; the parts are what bounds that.
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

  /// Throws `QueueError` when the queue cannot be opened once more.
  package init(_ queue: RegistrationQueue) throws {
    self.queue = queue
    var configuration = RegistrationQueue.configuration
    configuration.readonly = true
    configuration.label = "queue.check"
    do {
      connection = try DatabaseQueue(path: queue.pool.path, configuration: configuration)
    } catch {
      throw QueueError(error, doing: "open the queue for a look through it")
    }
  }

  /// Ends `run` soon. Any thread may call.
  package func stop() {
    isStopped.withLock { $0 = true }
    connection.interrupt()
  }

  /// Blocks until everything was looked at, or damage was found. Damage seals the queue; soundness ends an earlier
  /// suspicion. Throws `QueueError` when the disk refuses.
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
      throw QueueError(error, doing: "look the queue through")
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
      let found = try connection.read { database in
        try String.fetchOne(database, sql: "PRAGMA quick_check('\(quoted)')")
      }
      if let found, found != "ok" { return found }
    }
    part("counters")
    if let found = try connection.read(Self.wrongCounter) { return found }
    part("shared keys")
    if let found = try connection.read(Self.lostShare) { return found }
    part("indexes")
    return try firstLostKey()
  }

  /// No machine has room for more keys.
  private static let largestCount: Int64 = 1 << 53

  /// Counts what can be counted by an index alone: the keys that still have something to come.
  private static func wrongCounter(in database: Database) throws -> String? {
    let list = try Row.fetchOne(
      database,
      sql: """
        SELECT name FROM list
        WHERE MIN(pending, retrying, registered, failed, cancelled, owned_open, entries, accepted) < 0
          OR MAX(pending, retrying, registered, failed, cancelled, owned_open, entries, accepted) > ?
        """, arguments: [largestCount])
    if let list { return "a count of the list \(list[0] as String) cannot be" }
    let tally = try Row.fetchOne(
      database, sql: "SELECT 1 FROM tally WHERE count < 0 OR count > ?", arguments: [largestCount])
    if tally != nil { return "a count of the tally cannot be" }
    let states = try Int.fetchAll(database, sql: "SELECT state FROM tally ORDER BY state")
    guard states == Array(0...4) else { return "the tally has not the five states" }
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

  /// Whether both orders of the keys that several lists share name the same ones.
  private static func lostShare(in database: Database) throws -> String? {
    let lost = try Row.fetchOne(
      database,
      sql: """
        SELECT 1 FROM also_in AS part INDEXED BY also_in_by_list WHERE NOT EXISTS (
          SELECT 1 FROM also_in AS twin WHERE twin.key_id = part.key_id AND twin.list_id = part.list_id)
        LIMIT 1
        """)
    return lost.map { _ in "the keys that lists share do not agree with their index" }
  }

  /// Each row is found by its sixteen bytes and by its list, and is among the open or the failed keys if its state says so
  /// and only then. The partial indexes answer without the row; the plus keeps SQLite from asking the row itself.
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
    """

  /// Compares each key with the indexes, in reads of some thousand keys.
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
