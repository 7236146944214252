import GRDB
package import Registration

/// How many keys stand in each state.
package struct Tally: Sendable, Hashable {
  private var counts = [Int](repeating: 0, count: KeyState.allCases.count)

  package init() {}

  package subscript(state: KeyState) -> Int {
    get { counts[state.rawValue] }
    set { counts[state.rawValue] = newValue }
  }

  package var total: Int { counts.reduce(0, +) }
  /// Keys that are still to be worked on.
  package var open: Int { self[.pending] + self[.retrying] }
  /// Keys whose outcome is known.
  package var done: Int { total - open }

  static func stored(in database: Database) throws -> Tally {
    var tally = Tally()
    for row in try Row.fetchAll(try database.cachedStatement(sql: "SELECT state, count FROM tally")) {
      guard let state = KeyState(rawValue: row[0]) else { throw QueueError.defect("an unknown state in the tally") }
      tally[state] = row[1]
    }
    return tally
  }
}

/// How many lists there are, and how many of them still have something to do.
package struct ListTotals: Sendable, Hashable {
  package var total = 0
  package var active = 0

  static func counted(in database: Database) throws -> ListTotals {
    ListTotals(
      total: try Int.fetchOne(database, sql: "SELECT COUNT(*) FROM list") ?? 0,
      active: try Int.fetchOne(
        database, sql: "SELECT COUNT(*) FROM list WHERE imported_at IS NULL OR pending + retrying > 0") ?? 0)
  }
}
