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
  private let cachedProgress: Mutex<OpenProgress>
  /// The number of the last commit.
  private let commit: Mutex<CommitNumber>
  let clock: Mutex<KeptClock>
  /// Set once the file was found damaged: nothing is written any more.
  let damage = Mutex<QueueError?>(nil)
  /// When the whole queue was found sound, in time that has passed for sure; nil when it has to be looked through because
  /// the last run did not end well, or nobody ever did.
  let checkedAt: Mutex<Timestamp?>
  /// An earlier run found damage: the queue has to be looked through before it is worked on.
  package let isSuspect: Bool

  /// Opens or creates the queue at `path` and brings its schema up to date.
  ///
  /// Throws `QueueError`: `disk` when the file system refuses, `corrupt` when the file is no queue, damaged, or not the
  /// one that its log or its spool belongs to, `missing` when a queue was here before, `newer` when a later version of
  /// keyreg has written it. What is refused is left as it was found.
  ///
  /// - Parameters:
  ///   - isNewMeant: The operator has said that a new queue may take the place of one that is gone.
  ///   - isOlderMeant: The operator has said that the queue may be older than its spool.
  ///   - readClock: The present; passed in by tests.
  ///   - evidence: What shows that a queue has taken in lists which this one does not know, nil for nothing. Not asked
  ///     when that is meant.
  package init(
    path: String, isNewMeant: Bool = false, isOlderMeant: Bool = false,
    readClock: @escaping @Sendable () -> ClockReading = { .now() },
    evidence: (KnownLists) throws -> SpoolEvidence? = { _ in nil }
  ) throws {
    do {
      let look = try QueueLook(path: path, isNewMeant: isNewMeant)
      if look.condition == .absent, !isNewMeant, let evidence = try evidence(KnownLists()) {
        throw QueueError.missing(path: path, found: "is not there", evidence: evidence)
      }
      if look.condition == .absent, isNewMeant { try OpeningConnection.clearPlace(path) }
      // Open until the pool is: the pool finds a log that is flushed commit by commit from the first one on.
      let opening = try OpeningConnection(path: path, isNew: look.condition == .absent)
      let isUnused = try opening.isUnused
      let isMeant = try isUnused && isNewMeant || isOlderMeant || opening.isOlderMeant
      if !isMeant, let evidence = try opening.compare(evidence) {
        opening.abandon()
        throw QueueError.belied(path: path, isUnused: isUnused, by: evidence)
      }
      let number = try opening.begin()
      pool = try DatabasePool(path: path, configuration: Self.configuration)
      try pool.writeWithoutTransaction { database in
        // GRDB has just chosen NORMAL, which survives a kill but not a power cut.
        try database.execute(sql: "PRAGMA synchronous = FULL")
        try database.execute(sql: "PRAGMA journal_size_limit = 67108864")
        try database.execute(sql: "PRAGMA cache_size = -65536")
      }
      try opening.close()
      try Schema.migrator.migrate(pool)
      try pool.write { database in
        try SchemaCheck.require(database, path: path)
        if isOlderMeant { try Self.keep(true, named: Self.olderIsMeant, in: database) }
      }
      let (tally, lists, progress, kept, checked) = try pool.read { database in
        (
          try Tally.stored(in: database), try ListTotals.counted(in: database),
          try OpenProgress.counted(in: database),
          try Self.kept(SureClock.self, named: KeptClock.name, in: database),
          try Self.kept(Timestamp.self, named: Self.checked, in: database)
        )
      }
      clock = Mutex(KeptClock(kept, read: readClock))
      cachedTally = Mutex(tally)
      cachedLists = Mutex(lists)
      cachedProgress = Mutex(progress)
      commit = Mutex(number)
      checkedAt = Mutex(look.wasClosed ? checked : nil)
      isSuspect = look.isSuspect
      do throws(SystemError) {
        try QueueMark(commit: number, state: look.isSuspect ? .damaged : .open).write(of: path)
      } catch {
        throw QueueError.unreadable(QueueMark.path(of: path), error)
      }
    } catch let error as QueueError {
      throw error
    } catch {
      throw QueueError(error, doing: "open the queue \(path)")
    }
  }

  static var configuration: Configuration {
    var configuration = Configuration()
    configuration.qos = .default
    configuration.busyMode = .timeout(10)
    // One for each queue of the daemon that reads, so that none waits for another.
    configuration.maximumReaderCount = 8
    configuration.label = "queue"
    return configuration
  }

  /// Ends the connections. The queue cannot be used afterwards.
  package func close() throws {
    try explaining("close the queue") {
      try finish()
      try pool.close()
    }
  }

  /// Writes the log back and notes that the queue was left well. For the end of the daemon; the queue can still be read.
  package func finish() throws {
    try keepClock()
    try checkpoint()
    try note(.closed)
  }

  /// How many keys stand where. Kept in memory; costs nothing.
  package var tally: Tally { cachedTally.withLock { $0 } }

  /// How many lists there are. Kept in memory; costs nothing.
  package var listTotals: ListTotals { cachedLists.withLock { $0 } }

  /// How far the lists with open keys are. Kept in memory; costs nothing.
  package var openProgress: OpenProgress { cachedProgress.withLock { $0 } }

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
      try requireSound()
      _ = try pool.writeWithoutTransaction { database in try database.checkpoint(.truncate) }
      try note(.open)
    }
  }

  func note(_ state: QueueMark.State) throws {
    do throws(SystemError) {
      try QueueMark(commit: commit.withLock { $0 }, state: state).write(of: pool.path)
    } catch {
      throw QueueError.unreadable(QueueMark.path(of: pool.path), error)
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
      try requireSound()
      return try pool.writeWithoutTransaction { database in
        var result: Value?
        var tally: Tally?
        var lists: ListTotals?
        var progress = OpenProgress()
        let number = commit.withLock { $0.next }
        let (time, kept) = clock.withLock { ($0.advance(), $0.due) }
        try database.inTransaction(.immediate) {
          try database.execute(sql: "PRAGMA user_version = \(number.userVersion)")
          if let kept { try Self.keep(kept, named: KeptClock.name, in: database) }
          var changes = Changes(now: time.wall, sure: time.sure)
          let step = try body(database, &changes)
          tally = try changes.apply(to: database)
          progress = changes.progress
          lists = changes.touchesLists ? try listTotals.applying(changes, in: database) : nil
          result = try read(step, database)
          return .commit
        }
        // Still in the writer's turn, so that no older count can follow a newer one.
        commit.withLock { $0 = number }
        if let kept { clock.withLock { $0.wasKept(kept) } }
        if let tally { cachedTally.withLock { $0 = tally } }
        cachedProgress.withLock { $0 += progress }
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
    } catch {
      let error = error as? QueueError ?? QueueError(error, doing: purpose)
      guard error.kind == .corrupt else { throw error }
      throw seal(error.description)
    }
  }
}
