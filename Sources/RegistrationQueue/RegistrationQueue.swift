import Foundation
import GRDB
import Registration
import Synchronization

/// The durable queue: every key that a list ever brought, what became of it, and how far each list is.
///
/// One process owns the file (`StateDirectory` sees to that), and in it one writer connection, which alone checkpoints:
/// SQLite before 3.51.3 can corrupt a database in WAL mode that two connections checkpoint. Every write is one
/// transaction with `synchronous=FULL`, the counters in it, so that what this type has returned survives a power cut and
/// no count ever needs a scan. All calls block; any thread may call.
package final class RegistrationQueue: Sendable {
  let pool: DatabasePool
  private let cachedTally: Mutex<Tally>
  private let cachedLists: Mutex<ListTotals>

  /// Opens or creates the queue at `path` and brings its schema up to date.
  ///
  /// Throws `QueueError`: `disk` when the file system refuses, `corrupt` when the file is no queue, `newer` when a later
  /// version of keyreg has written it.
  package init(path: String) throws {
    var configuration = Configuration()
    configuration.qos = .default
    configuration.busyMode = .timeout(10)
    configuration.maximumReaderCount = 4
    configuration.label = "queue"
    do {
      pool = try DatabasePool(path: path, configuration: configuration)
      let migrator = Schema.migrator
      if try pool.read(migrator.hasBeenSuperseded) { throw QueueError.newer(path: path) }
      try pool.writeWithoutTransaction { database in
        // GRDB has just chosen NORMAL, which survives a kill but not a power cut.
        try database.execute(sql: "PRAGMA synchronous = FULL")
        try database.execute(sql: "PRAGMA journal_size_limit = 67108864")
        try database.execute(sql: "PRAGMA cache_size = -65536")
      }
      try migrator.migrate(pool)
      let (tally, lists) = try pool.read { database in
        (try Tally.stored(in: database), try ListTotals.counted(in: database))
      }
      cachedTally = Mutex(tally)
      cachedLists = Mutex(lists)
    } catch let error as QueueError {
      throw error
    } catch {
      throw QueueError(error, doing: "open the queue \(path)")
    }
  }

  /// Ends the connections. The queue cannot be used afterwards.
  package func close() throws {
    try explaining("close the queue") { try pool.close() }
  }

  /// How many keys stand where. Kept in memory; costs nothing.
  package var tally: Tally { cachedTally.withLock { $0 } }

  /// How many lists there are. Kept in memory; costs nothing.
  package var listTotals: ListTotals { cachedLists.withLock { $0 } }

  /// Bytes of the database and its write-ahead log on disk.
  package var sizeOnDisk: Int {
    ["", "-wal"].reduce(0) { total, suffix in
      let attributes = try? FileManager.default.attributesOfItem(atPath: pool.path + suffix)
      // A file that is not there has no size; the figure is for a gauge.
      return total + (attributes?[.size] as? Int ?? 0)
    }
  }

  /// Writes the whole log back into the database and truncates it. For idle moments: it waits for readers.
  package func checkpoint() throws {
    try explaining("checkpoint the queue") {
      _ = try pool.writeWithoutTransaction { database in try database.checkpoint(.truncate) }
    }
  }

  /// Runs `body` in one durable transaction, and afterwards lets readers of the counters see what it has committed.
  func write<Value>(_ purpose: String, _ body: (Database, inout Changes) throws -> Value) throws -> Value {
    try write(purpose, body) { value, _ in value }
  }

  /// The same, with a result that is read when the counters are up to date.
  func write<Step, Value>(
    _ purpose: String, _ body: (Database, inout Changes) throws -> Step, then read: (Step, Database) throws -> Value
  ) throws -> Value {
    try explaining(purpose) {
      try pool.writeWithoutTransaction { database in
        var result: Value?
        var tally: Tally?
        var lists: ListTotals?
        try database.inTransaction(.immediate) {
          var changes = Changes()
          let step = try body(database, &changes)
          tally = try changes.apply(to: database)
          lists = changes.touchesLists ? try ListTotals.counted(in: database) : nil
          result = try read(step, database)
          return .commit
        }
        // Still in the writer's turn, so that no older count can follow a newer one.
        if let tally { cachedTally.withLock { $0 = tally } }
        if let lists { cachedLists.withLock { $0 = lists } }
        guard let result else { throw QueueError.defect("a transaction without a result") }
        return result
      }
    }
  }

  func read<Value>(_ purpose: String, _ body: (Database) throws -> Value) throws -> Value {
    try explaining(purpose) { try pool.read(body) }
  }

  private func explaining<Value>(_ purpose: String, _ body: () throws -> Value) throws -> Value {
    do {
      return try body()
    } catch let error as QueueError {
      throw error
    } catch {
      throw QueueError(error, doing: purpose)
    }
  }
}
