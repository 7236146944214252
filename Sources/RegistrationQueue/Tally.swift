import GRDB
package import Registration

/// How many keys are in each state.
package struct Tally: Sendable, Hashable {
  private var counts = [Int](repeating: 0, count: KeyState.allCases.count)
  /// When the last of the keys that wait for another attempt is due, on the clock that cannot be set; nil when none
  /// waits.
  package var lastDue: Timestamp?

  package init() {}

  package subscript(state: KeyState) -> Int {
    get { counts[state.rawValue] }
    set { counts[state.rawValue] = newValue }
  }

  package var total: Int { counts.reduce(0, +) }
  /// Keys without an outcome.
  package var open: Int { self[.pending] + self[.retrying] }
  /// Keys with an outcome.
  package var done: Int { total - open }

  static func stored(in database: Database) throws -> Tally {
    var tally = Tally()
    for row in try Row.fetchAll(try database.cachedStatement(sql: "SELECT state, count FROM tally")) {
      guard let state = KeyState(rawValue: row[0]) else { throw QueueError.damaged("an unknown state in the tally") }
      tally[state] = row.amount(1)
    }
    // At the end of an index.
    let last = try database.cachedStatement(sql: "SELECT MAX(due_at) FROM key WHERE state = 1")
    tally.lastDue = try Int64.fetchOne(last).map(Timestamp.init(milliseconds:))
    return tally
  }
}

/// How many lists there are, and how many of them are still active.
package struct ListTotals: Sendable, Hashable {
  package var total = 0
  package var active = 0
  /// Every key has an outcome, but the results are not written yet.
  package var finishing = 0
  /// Lists in `rejected/`.
  package var rejected = 0

  package init() {}

  /// Counts every list; for the start.
  static func counted(in database: Database) throws -> ListTotals {
    var totals = ListTotals()
    totals.total = try Int.fetchOne(database, sql: "SELECT COUNT(*) FROM list") ?? 0
    totals.rejected = try Int.fetchOne(database, sql: "SELECT COUNT(*) FROM rejected_list") ?? 0
    try totals.countOpen(in: database)
    return totals
  }

  /// The totals after `changes`. They are adjusted, because counting all lists after each one would take ever longer.
  func applying(_ changes: Changes, in database: Database) throws -> ListTotals {
    var totals = self
    totals.total += changes.addedLists
    totals.rejected += changes.addedRejections
    try totals.countOpen(in: database)
    return totals
  }

  /// Uses indexes that contain only these lists.
  private mutating func countOpen(in database: Database) throws {
    active =
      try Int.fetchOne(
        try database.cachedStatement(
          sql: "SELECT COUNT(*) FROM list WHERE imported_at IS NULL OR pending + retrying > 0")) ?? 0
    finishing =
      try Int.fetchOne(
        try database.cachedStatement(
          sql: "SELECT COUNT(*) FROM list WHERE finished_at IS NOT NULL AND results_at IS NULL")) ?? 0
  }
}

/// How far the lists with open keys are, all of them together. A key in two of them counts in both.
package struct OpenProgress: Sendable, Hashable {
  /// Keys with an outcome.
  package var done: Int
  package var total: Int

  package init(done: Int = 0, total: Int = 0) {
    self.done = done
    self.total = total
  }

  static func counted(in database: Database) throws -> OpenProgress {
    let row = try Row.fetchOne(
      database,
      sql: """
        SELECT TOTAL(registered + failed + cancelled),
          TOTAL(pending + retrying + registered + failed + cancelled)
        FROM list WHERE pending + retrying > 0 AND (imported_at IS NULL OR pending + retrying > 0)
        """)
    return OpenProgress(done: row?.amount(0) ?? 0, total: row?.amount(1) ?? 0)
  }

  /// The share of one list: nothing when none of its keys is open.
  static func share(of list: Int64, in database: Database) throws -> OpenProgress {
    let row = try Row.fetchOne(
      try database.cachedStatement(
        sql: "SELECT pending + retrying, registered + failed + cancelled FROM list WHERE id = ?"), arguments: [list])
    guard let row, case let open = row.amount(0), open > 0 else { return OpenProgress() }
    let done = row.amount(1)
    return OpenProgress(done: done, total: open + done)
  }

  static func += (sum: inout OpenProgress, other: OpenProgress) {
    sum.done += other.done
    sum.total += other.total
  }

  static func -= (sum: inout OpenProgress, other: OpenProgress) {
    sum.done -= other.done
    sum.total -= other.total
  }
}

extension Row {
  /// A count, limited so that counts can be added: anybody may have edited the file, and no number in it may end the
  /// daemon.
  func amount(_ column: Int) -> Int { Self.bounded(self[column]) }

  /// The same, by the column's name.
  func amount(_ column: String) -> Int { Self.bounded(self[column]) }

  /// SQLite returns a floating-point number for a sum that is too large.
  private static func bounded(_ value: DatabaseValue) -> Int {
    let count = Int.fromDatabaseValue(value) ?? (Double.fromDatabaseValue(value) == nil ? 0 : .max)
    return Swift.min(Swift.max(count, 0), 1 << 53)
  }
}
