import GRDB
import Registration

/// The changes of a transaction to the counters, collected while it runs and written once at its end.
///
/// Counting here instead of with triggers costs one update for each list and state in a group commit, not one for each
/// key.
struct Changes {
  private var tally: [KeyState: Int] = [:]
  private var lists: [Int64: [KeyState: Int]] = [:]
  private var owned: [Int64: Int] = [:]
  /// Lists with keys whose outcome changed: their results are written again.
  private var revised: Set<Int64> = []
  /// Lists with more finished keys than before, or with changed terms: their share of failures is checked.
  private var failing: Set<Int64> = []
  /// Set when a list was stopped: its open keys are to be cancelled.
  private(set) var hasStopped = false
  /// Set when lists were added, removed or may have finished.
  private(set) var touchesLists = false
  /// Lists that were added.
  var addedLists = 0 {
    didSet { touchesLists = true }
  }
  /// Rejected lists that were noted, minus those that were forgotten.
  var addedRejections = 0 {
    didSet { touchesLists = true }
  }
  /// The wall-clock time of the transaction, for the record.
  let now: Timestamp
  /// The same on the clock that cannot be set, for due times.
  let sure: Timestamp
  /// The latest time that the transaction recorded: the wall clock may have been set back since an attempt.
  private var latest: Timestamp
  /// The number of the newest outcome. They are numbered in the order in which they are recorded, not always without
  /// gaps.
  private(set) var newestOutcome: Int64

  init(now: Timestamp, sure: Timestamp, newestOutcome: Int64) {
    self.now = now
    self.sure = sure
    self.newestOutcome = newestOutcome
    latest = now
  }

  /// A key got an outcome at this time. Returns the outcome's number.
  mutating func nextOutcomeNumber(at time: Timestamp) -> Int64 {
    latest = max(latest, time)
    newestOutcome += 1
    return newestOutcome
  }
  /// A key waits for another attempt, perhaps until another time than before.
  private var touchesWaits = false
  /// What the transaction adds to the progress of the open lists.
  private(set) var progress = OpenProgress()

  mutating func listsChanged() {
    touchesLists = true
  }

  mutating func waitsChanged() {
    touchesWaits = true
  }

  /// A list may be finished, or open again, for a reason other than a key.
  mutating func look(at list: Int64) {
    lists[list, default: [:]][.pending, default: 0] += 0
  }

  /// The share of failed keys in a list may be too large.
  mutating func lookForFailures(in list: Int64) {
    failing.insert(list)
  }

  /// The results of a list must be written again.
  mutating func revise(_ list: Int64) {
    revised.insert(list)
  }

  /// `list` has added a key in `state`.
  mutating func add(_ state: KeyState, ownedBy list: Int64) {
    tally[state, default: 0] += 1
    lists[list, default: [:]][state, default: 0] += 1
    if !state.isFinal { owned[list, default: 0] += 1 }
  }

  /// A key in `state` is now in `list`, too.
  mutating func share(_ state: KeyState, with list: Int64) {
    lists[list, default: [:]][state, default: 0] += 1
  }

  /// A key has moved from one state to another.
  mutating func move(from old: KeyState, to new: KeyState, owner: Int64, alsoIn others: [Int64]) {
    guard old != new else { return }
    tally[old, default: 0] -= 1
    tally[new, default: 0] += 1
    for list in [owner] + others {
      lists[list, default: [:]][old, default: 0] -= 1
      lists[list, default: [:]][new, default: 0] += 1
    }
    if old.isFinal, new.isFinal { revised.formUnion([owner] + others) }
    if old.isFinal != new.isFinal { owned[owner, default: 0] += new.isFinal ? -1 : 1 }
  }

  /// Writes the sums, and marks lists that these changes have finished or opened again. Nil when no counter of the tally has
  /// changed.
  mutating func apply(to database: Database) throws -> Tally? {
    for (list, counts) in lists {
      progress -= try OpenProgress.share(of: list, in: database)
      let update = try database.cachedStatement(
        sql: """
          UPDATE list SET pending = pending + ?, retrying = retrying + ?, registered = registered + ?,
            failed = failed + ?, cancelled = cancelled + ?, owned_open = owned_open + ?, latest_at = MAX(latest_at, ?)
          WHERE id = ?
          """)
      let added = [.pending, .retrying, .registered, .failed, .cancelled].map { (state: KeyState) in counts[state] ?? 0
      }
      try update.execute(arguments: StatementArguments(added) + [owned[list] ?? 0, latest.milliseconds, list])
    }
    for list in lists.keys {
      progress += try OpenProgress.share(of: list, in: database)
      try settle(list, in: database)
    }
    for (list, counts) in lists where counts.contains(where: { $0.key.isFinal && $0.value > 0 }) {
      failing.insert(list)
    }
    for list in failing where try Self.stop(list, at: now, in: database) {
      hasStopped = true
      touchesLists = true
    }
    for list in revised {
      try database.cachedStatement(
        sql: """
          UPDATE list SET finished_at = MAX(?, latest_at, finished_at + 1), results_at = NULL, forgotten_at = NULL
          WHERE id = ? AND finished_at IS NOT NULL
          """
      ).execute(arguments: [now.milliseconds, list])
      touchesLists = true
    }
    guard !tally.isEmpty || touchesWaits else { return nil }
    for (state, count) in tally where count != 0 {
      try database.cachedStatement(sql: "UPDATE tally SET count = count + ? WHERE state = ?")
        .execute(arguments: [count, state.rawValue])
    }
    return try Tally.stored(in: database)
  }

  /// A list is finished when it was read completely and none of its keys is open; from then on its results are due.
  private mutating func settle(_ list: Int64, in database: Database) throws {
    try database.cachedStatement(
      sql: """
        UPDATE list SET finished_at = MAX(?, latest_at, arrived_at, imported_at), results_at = NULL
        WHERE id = ? AND imported_at IS NOT NULL AND finished_at IS NULL AND pending + retrying = 0
        """
    ).execute(arguments: [now.milliseconds, list])
    if database.changesCount > 0 { touchesLists = true }
    try database.cachedStatement(
      sql: """
        UPDATE list SET finished_at = NULL, results_at = NULL, forgotten_at = NULL
        WHERE id = ? AND finished_at IS NOT NULL AND pending + retrying > 0
        """
    ).execute(arguments: [list])
    if database.changesCount > 0 { touchesLists = true }
  }
}
