import Foundation
import GRDB
import Registration

/// The first connection to a queue: it checks what is there before the pool is opened, and numbers the first commit.
///
/// The pool's own first transaction is not flushed, and would be the first in a new log. With a commit of ours before
/// it, every transaction in a log is flushed before the next begins. `WriteAheadLog` relies on that.
final class OpeningConnection {
  private let connection: DatabaseQueue
  private let path: String
  /// Nothing has used the database yet.
  private let isNew: Bool
  /// There was a log before.
  private let hadLog: Bool

  /// - Parameter instance: Who opens it; a queue of another instance is refused.
  init(path: String, isNew: Bool, instance: String?) throws {
    var configuration = RegistrationQueue.configuration
    configuration.prepareDatabase { database in
      try database.execute(sql: "PRAGMA synchronous = FULL")
    }
    self.path = path
    hadLog = access(path + "-wal", F_OK) == 0
    let reader = hadLog ? try Self.reader(path: path) : nil
    // Closes after `connection` is open, so that it is not the last one.
    defer { withExtendedLifetime(reader) {} }
    connection = try DatabaseQueue(path: path, configuration: configuration)
    do {
      self.isNew = try connection.read { database in
        let tables = try String.fetchAll(database, sql: "SELECT name FROM sqlite_schema WHERE type = 'table'")
        // A kill during the first creation leaves no table, or only the migrations' own.
        guard isNew || tables.allSatisfy({ $0 == "grdb_migrations" }) else {
          guard tables.contains("grdb_migrations"), tables.contains("key") else {
            throw QueueError.corrupt(path: path, "it is an SQLite database, but not a queue")
          }
          if try Schema.migrator.hasBeenSuperseded(database) { throw QueueError.newer(path: path) }
          if try Schema.migrator.hasCompletedMigrations(database) { try SchemaCheck.require(database, path: path) }
          let origin = try RegistrationQueue.kept(QueueOrigin.self, named: QueueOrigin.name, in: database)
          if let origin, origin.instance != instance {
            throw QueueError.queue(path, of: origin.instance, isNotOf: instance)
          }
          return false
        }
        return true
      }
    } catch {
      Self.abandon(connection, hadLog: hadLog)
      throw error
    }
  }

  /// Reads the schema of a queue with a log. If that cannot be read, SQLite closes the connection at once, and one that
  /// can write would then write the log into the database.
  private static func reader(path: String) throws -> DatabaseQueue {
    var configuration = RegistrationQueue.configuration
    configuration.readonly = true
    return try DatabaseQueue(path: path, configuration: configuration)
  }

  /// The queue holds no list and no key.
  var isUnused: Bool {
    get throws {
      guard !isNew else { return true }
      return try connection.read { database in
        try Row.fetchOne(
          database, sql: "SELECT 1 WHERE EXISTS (SELECT 1 FROM list) OR EXISTS (SELECT 1 FROM key)") == nil
      }
    }
  }

  /// A mark was on disk beside this queue before. It may be damaged; if it is gone, this is a copy without it.
  var wasMarked: Bool {
    get throws {
      guard !isNew else { return false }
      return try connection.read { database in
        try RegistrationQueue.kept(Bool.self, named: QueueMark.noted, in: database) ?? false
      }
    }
  }

  /// The operator has restored a queue that may be older than its spool.
  var isOlderMeant: Bool {
    get throws {
      guard !isNew else { return false }
      return try connection.read { database in
        try RegistrationQueue.kept(Bool.self, named: RegistrationQueue.olderIsMeant, in: database) ?? false
      }
    }
  }

  /// Evidence that the spool's lists were imported by another queue.
  func compare(_ evidence: (KnownLists) throws -> SpoolEvidence?) throws -> SpoolEvidence? {
    guard !isNew else { return try evidence(KnownLists()) }
    return try connection.read { database in try evidence(KnownLists(database)) }
  }

  /// Switches the log on, and numbers a commit that is on disk when this returns.
  func begin() throws -> CommitNumber {
    try connection.writeWithoutTransaction { database in
      if isNew {
        guard try String.fetchOne(database, sql: "PRAGMA journal_mode = WAL") == "wal" else {
          throw QueueError.corrupt(path: path, "its file system has no shared memory for the log")
        }
      }
      let stored = UInt32(bitPattern: try Int32.fetchOne(database, sql: "PRAGMA user_version") ?? 0)
      var number = CommitNumber(stored)?.next ?? .random()
      try Self.commit(number, in: database)
      if CommitNumber(stored) == nil {
        // Into the database file, too: without a number there, a foreign log could not be recognised.
        _ = try database.checkpoint(.truncate)
        number = number.next
        try Self.commit(number, in: database)
      }
      return number
    }
  }

  private static func commit(_ number: CommitNumber, in database: Database) throws {
    try database.inTransaction(.immediate) {
      try database.execute(sql: "PRAGMA application_id = \(DatabaseHeader.applicationID)")
      try database.execute(sql: "PRAGMA user_version = \(number.userVersion)")
      return .commit
    }
  }

  /// Call this after the pool was opened: closing the last connection would write the log back and remove it.
  func close() throws { try connection.close() }

  /// Leaves the files as they were.
  func abandon() { Self.abandon(connection, hadLog: hadLog) }

  /// With a log, the connection is never closed: closing would write the log into a database that was just refused, and the
  /// process ends soon. Without one, closing removes the empty log that opening has created.
  private static func abandon(_ connection: DatabaseQueue, hadLog: Bool) {
    // What cannot be closed stays open, which changes nothing.
    guard hadLog || (try? connection.close()) == nil else { return }
    _ = Unmanaged.passRetained(connection)
  }

  /// Renames whatever is in the place of a new queue: nothing is removed or overwritten.
  static func clearPlace(_ path: String) throws(QueueError) {
    let stamp = Timestamp.now().milliseconds
    for suffix in [".mark", "", "-wal", "-shm"] {
      guard rename(path + suffix, "\(path)\(suffix).aside-\(stamp)") != 0, errno != ENOENT else { continue }
      throw .unreadable(path + suffix, SystemFault(code: errno))
    }
  }
}
