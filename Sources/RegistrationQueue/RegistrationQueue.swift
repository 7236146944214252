import Foundation
import GRDB
import GRDBSQLite
package import Registration
import Synchronization

/// The durable queue: every key that a list ever brought, its outcome, and how far each list is.
///
/// One process owns the file (`StateDirectory` ensures that), and in it one writer connection, which alone checkpoints:
/// SQLite before 3.51.3 can corrupt a database in WAL mode when two connections checkpoint. Every write is one
/// transaction with `synchronous=FULL` that includes the counters. So what this type has returned survives a power cut,
/// and counts never need a scan. All calls block; any thread may call.
package final class RegistrationQueue: Sendable {
  let pool: DatabasePool
  private let unreadPage: UnreadPage
  /// Calls that write or wait to.
  private let writers = Atomic(0)
  private let cachedTally: Mutex<Tally>
  private let cachedLists: Mutex<ListTotals>
  private let cachedProgress: Mutex<OpenProgress>
  let newest: Atomic<Int64>
  let cancels = Mutex(Cancels())
  /// The number of the last commit.
  private let commit: Mutex<CommitNumber>
  let clock: Mutex<KeptClock>
  /// Set once the file was found damaged: nothing more is written.
  let damage = Mutex<QueueError?>(nil)
  let place: QueuePlace
  /// When the whole queue was last found sound, on the clock that cannot be set; nil when it must be checked because
  /// the last run did not end cleanly, or it never was.
  let checkedAt: Mutex<Timestamp?>
  /// An earlier run found damage: the queue must be checked before any work.
  package let isSuspect: Bool
  /// When an earlier run last registered a key.
  package let lastSuccess: Timestamp?
  /// An earlier version of keyreg had written the queue: the path of the copy that was kept of it.
  package let earlier: String?

  /// Opens or creates the queue at `path` and brings its schema up to date.
  ///
  /// Throws `QueueError`: `disk` when the file system refuses, `corrupt` when the file is damaged, not a queue, or does
  /// not belong to its log or its spool, `missing` when there was a queue before, `newer` when a later version of
  /// keyreg has written it, `elsewhere` when it is another instance's. Refused files are not changed.
  ///
  /// - Parameters:
  ///   - instance: Whose queue it is, nil for the main instance.
  ///   - isNewMeant: The operator allows a new queue in place of one that is gone.
  ///   - isOlderMeant: The operator allows a queue that is older than its spool.
  ///   - readClock: The present; tests pass their own.
  ///   - evidence: Evidence that a queue has imported lists that this one does not know, nil for none. Not called when
  ///     the operator allows that. Its own errors are thrown as they are.
  package init(
    path: String, instance: String? = nil, isNewMeant: Bool = false, isOlderMeant: Bool = false,
    readClock: @escaping @Sendable () -> ClockReading = { .now() },
    evidence: (KnownLists) throws -> SpoolEvidence? = { _ in nil }
  ) throws {
    // What is open when damage is found stays open: closing the last connection would write the log into a refused
    // database. The process ends soon.
    var open: AnyObject?
    do {
      let found = try QueuePrecheck(path: path, isNewMeant: isNewMeant, isOlderMeant: isOlderMeant)
      if found.condition == .absent, !isNewMeant,
        let evidence = try SpoolFault.separating({ try evidence(KnownLists()) })
      {
        throw QueueError.missing(path: path, found: "is not there", evidence: evidence)
      }
      if found.condition == .absent, isNewMeant { try OpeningConnection.clearPlace(path) }
      // Open until the pool is: the pool finds a log in which every commit was flushed.
      let opening = try OpeningConnection(path: path, isNew: found.condition == .absent, instance: instance)
      let isUnused = try opening.isUnused
      let isMeant = try isUnused && isNewMeant || isOlderMeant || opening.isOlderMeant
      if !isMeant, let evidence = try opening.compare({ known in try SpoolFault.separating { try evidence(known) } }) {
        opening.abandon()
        throw QueueError.contradicted(path: path, isUnused: isUnused, by: evidence)
      }
      let wasMarked = try opening.wasMarked
      if wasMarked, !isMeant, !QueueMark.exists(of: path) {
        opening.abandon()
        throw QueueError.withoutMark(path: path)
      }
      open = opening
      let number = try opening.begin()
      pool = try DatabasePool(path: path, configuration: Self.poolConfiguration)
      try pool.writeWithoutTransaction { database in
        // A file that cannot be opened for writing, SQLite opens for reading, and never tries again.
        guard sqlite3_db_readonly(database.sqliteConnection, "main") == 0 else { throw QueueError.readOnly(path: path) }
        try Self.prepareWriter(database)
      }
      try opening.close()
      open = pool
      unreadPage = UnreadPage(of: path)
      earlier = try EarlierQueue.keep(of: pool, path: path)
      try Schema.migrator.migrate(pool)
      try pool.write { database in
        try SchemaCheck.require(database, path: path)
        if isOlderMeant { try Self.keep(true, named: Self.olderIsMeant, in: database) }
      }
      let (tally, lists, progress, recorded, kept, checked, succeeded) = try pool.read { database in
        (
          try Tally.stored(in: database), try ListTotals.counted(in: database),
          try OpenProgress.counted(in: database), try Self.newestOutcome(in: database),
          try Self.kept(SureClock.self, named: KeptClock.name, in: database),
          try Self.kept(Timestamp.self, named: Self.checked, in: database),
          try Self.kept(Timestamp.self, named: Self.lastSuccess, in: database)
        )
      }
      clock = Mutex(KeptClock(kept, read: readClock))
      cachedTally = Mutex(tally)
      cachedLists = Mutex(lists)
      cachedProgress = Mutex(progress)
      newest = Atomic(recorded)
      commit = Mutex(number)
      checkedAt = Mutex(found.wasClosed ? checked : nil)
      isSuspect = found.isSuspect
      lastSuccess = succeeded
      place = try QueuePlace(of: path)
      do throws(SystemFault) {
        try QueueMark(commit: number, state: found.isSuspect ? .damaged : .open).write(of: path)
      } catch {
        throw QueueError.unwritable(QueueMark.path(of: path), error)
      }
      if !wasMarked { try pool.write { try Self.keep(true, named: QueueMark.noted, in: $0) } }
    } catch let error as SpoolFault {
      throw error.reason
    } catch {
      let error = error as? QueueError ?? QueueError(error, doing: "open the queue \(path)")
      if error.kind == .corrupt, let open { _ = Unmanaged.passRetained(open) }
      throw error.kind == .disk ? QueueFile.foreign(path) ?? error : error
    }
  }

  /// Writes the log back and notes that the queue was closed cleanly. For the end of the daemon; the queue can still be
  /// read.
  package func finish() throws {
    try keepClock()
    try checkpoint()
    try note(.closed)
  }

  /// How many keys are in each state. Kept in memory; costs nothing.
  package var tally: Tally { cachedTally.withLock { $0 } }

  /// How many lists there are. Kept in memory; costs nothing.
  package var listTotals: ListTotals { cachedLists.withLock { $0 } }

  /// How far the lists with open keys are. Kept in memory; costs nothing.
  package var openProgress: OpenProgress { cachedProgress.withLock { $0 } }

  /// Bytes of the database and its write-ahead log on disk.
  package var sizeOnDisk: Int {
    ["", "-wal"].reduce(0) { total, suffix in
      let attributes = try? FileManager.default.attributesOfItem(atPath: pool.path + suffix)
      // A missing file has no size; the number is for a gauge.
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
    do throws(SystemFault) {
      try QueueMark(commit: commit.withLock { $0 }, state: state).write(of: pool.path)
    } catch {
      throw QueueError.unwritable(QueueMark.path(of: pool.path), error)
    }
  }

  /// Runs `body` in one durable transaction, then publishes the new counters to readers.
  func write<Value>(_ purpose: String, _ body: (Database, inout Changes) throws -> Value) throws -> Value {
    try write(purpose, body) { value, _ in value }
  }

  /// The same, with a result that is read once the counters are up to date.
  func write<Step, Value>(
    _ purpose: String, _ body: (Database, inout Changes) throws -> Step, then read: (Step, Database) throws -> Value
  ) throws -> Value {
    writers.add(1, ordering: .relaxed)
    defer { writers.subtract(1, ordering: .relaxed) }
    return try explaining(purpose) {
      try requireSound()
      return try pool.writeWithoutTransaction { database in
        var result: Value?
        var tally: Tally?
        var lists: ListTotals?
        var progress = OpenProgress()
        var recorded: Int64 = 0
        var hasStopped = false
        let number = commit.withLock { $0.next }
        let (time, kept) = clock.withLock { ($0.advance(), $0.due) }
        try database.inTransaction(.immediate) {
          try database.execute(sql: "PRAGMA user_version = \(number.userVersion)")
          if let kept { try Self.keep(kept, named: KeptClock.name, in: database) }
          var changes = Changes(now: time.wall, sure: time.sure, newestOutcome: newestOutcome)
          let step = try body(database, &changes)
          tally = try changes.apply(to: database)
          progress = changes.progress
          recorded = changes.newestOutcome
          hasStopped = changes.hasStopped
          lists = changes.touchesLists ? try listTotals.applying(changes, in: database) : nil
          result = try read(step, database)
          return .commit
        }
        // Still in the writer's turn, so that no older count can follow a newer one.
        commit.withLock { $0 = number }
        if let kept { clock.withLock { $0.wasKept(kept) } }
        if let tally { cachedTally.withLock { $0 = tally } }
        cachedProgress.withLock { $0 += progress }
        newest.store(recorded, ordering: .relaxed)
        if let lists { cachedLists.withLock { $0 = lists } }
        if hasStopped { cancels.withLock { $0.hasStopped = true } }
        guard let result else { throw QueueError.defect("a transaction without a result") }
        return result
      }
    }
  }

  /// Somebody is writing, or waiting to.
  package var isWriterAwaited: Bool { writers.load(ordering: .relaxed) > 0 }

  func read<Value>(_ purpose: String, _ body: (Database) throws -> Value) throws -> Value {
    try explaining(purpose) { try pool.read(body) }
  }

  private func explaining<Value>(_ purpose: String, _ body: () throws -> Value) throws -> Value {
    do {
      // What is known to be damaged is not read from beginning to end once more.
      return try damage.withLock({ $0 }) == nil ? unreadPage.tryingAgain(body) : body()
    } catch let error as SpoolFault {
      throw error.reason
    } catch {
      let error = error as? QueueError ?? QueueError(error, doing: purpose)
      guard error.kind == .corrupt else { throw error }
      throw seal(error.description)
    }
  }
}
