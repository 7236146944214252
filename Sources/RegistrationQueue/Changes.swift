import GRDB
import Registration

/// What a transaction does to the counters, gathered while it runs and written once at its end.
///
/// Counting here, and not with triggers, costs one update for each list and state that a group commit touches instead of
/// one for each key.
struct Changes {
  private var tally: [KeyState: Int] = [:]
  private var lists: [Int64: [KeyState: Int]] = [:]
  private var owned: [Int64: Int] = [:]
  /// Lists of keys whose outcome became another one: their results are written again.
  private var revised: Set<Int64> = []
  /// Set when lists came, went or may have been finished.
  private(set) var touchesLists = false
  /// Lists that have come into being.
  var addedLists = 0 {
    didSet { touchesLists = true }
  }
  /// Rejected lists that were noted, less those that were forgotten.
  var addedRejections = 0 {
    didSet { touchesLists = true }
  }
  /// When the transaction takes place, by the wall clock, for the record.
  let now: Timestamp
  /// The same in time that has passed for sure, for due times.
  let sure: Timestamp
  /// The latest time that the transaction has put down: the wall clock may have been set back since an attempt.
  private var latest: Timestamp

  init(now: Timestamp, sure: Timestamp) {
    self.now = now
    self.sure = sure
    latest = now
  }

  /// A key got an outcome at this time.
  mutating func putDown(_ time: Timestamp) {
    latest = max(latest, time)
  }
  /// What the transaction adds to the progress of the open lists.
  private(set) var progress = OpenProgress()

  mutating func listsChanged() {
    touchesLists = true
  }

  /// A list may be finished, or open again, for another reason than a key.
  mutating func look(at list: Int64) {
    lists[list, default: [:]][.pending, default: 0] += 0
  }

  /// The results of a list are to be written again.
  mutating func revise(_ list: Int64) {
    revised.insert(list)
  }

  /// A key has come into being in `state`, brought by `list`.
  mutating func add(_ state: KeyState, ownedBy list: Int64) {
    tally[state, default: 0] += 1
    lists[list, default: [:]][state, default: 0] += 1
    if !state.isFinal { owned[list, default: 0] += 1 }
  }

  /// A key that stands in `state` is from now on in `list` too.
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

  /// Writes the sums, and marks lists that these changes have finished or opened again. Nil when no count changed.
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
    for list in revised {
      try database.cachedStatement(
        sql: """
          UPDATE list SET finished_at = MAX(?, latest_at, finished_at + 1), results_at = NULL WHERE id = ? AND finished_at IS NOT NULL
          """
      ).execute(arguments: [now.milliseconds, list])
      touchesLists = true
    }
    guard !tally.isEmpty else { return nil }
    for (state, count) in tally where count != 0 {
      try database.cachedStatement(sql: "UPDATE tally SET count = count + ? WHERE state = ?")
        .execute(arguments: [count, state.rawValue])
    }
    return try Tally.stored(in: database)
  }

  /// A list is finished while it is wholly read and none of its keys is open; its results are due from then on.
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
        UPDATE list SET finished_at = NULL, results_at = NULL
        WHERE id = ? AND finished_at IS NOT NULL AND pending + retrying > 0
        """
    ).execute(arguments: [list])
    if database.changesCount > 0 { touchesLists = true }
  }
}
