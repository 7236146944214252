import GRDB
package import Registration

/// Outcomes in the order in which they were recorded, for those who follow the work.
///
/// The time of an outcome does not give that order: an outcome may be recorded long after its reply, and the wall clock may
/// be set back. So each has a number with an index, and new ones are found without looking at the others. Outcomes that an
/// earlier version recorded have none.
extension RegistrationQueue {
  /// The key has an outcome.
  static let isRecorded = "key.state IN (2, 3, 4)"

  /// The number of the newest outcome. Kept in memory; costs nothing.
  package var newestOutcome: Int64 { newest.load(ordering: .relaxed) }

  static func newestOutcome(in database: Database) throws -> Int64 {
    let newest = try Int64.fetchOne(
      database,
      sql: """
        SELECT recorded FROM key INDEXED BY key_recorded WHERE recorded IS NOT NULL ORDER BY recorded DESC LIMIT 1
        """)
    // Anybody may have edited the file.
    return min(max(newest ?? 0, 0), 1 << 60)
  }

  /// The next outcomes with numbers after `number`, up to `end`, and the number to continue from; nil at the end.
  ///
  /// A key that had its outcome changed since then has a higher number, and comes with that.
  /// - Parameter list: Only keys of this list, including those that other lists brought first.
  package func outcomes(
    recordedAfter number: Int64, until end: Int64, list: ListRecord? = nil, state: KeyState? = nil,
    error: String? = nil, since: Timestamp? = nil, limit: Int
  ) throws -> (rows: [Outcome], next: Int64?) {
    try read("read new outcomes") { database in
      var wanted = Self.wanted(state: state, error: error, since: since)
      if list != nil {
        wanted += """
           AND (key.list_id = ?3 OR EXISTS (SELECT 1 FROM also_in WHERE key_id = key.id AND also_in.list_id = ?3))
          """
      }
      let statement = try HotStatement(
        """
        SELECT \(Self.outcomeColumns), list.name, key.recorded
        FROM key INDEXED BY key_recorded CROSS JOIN list ON list.id = key.list_id
        WHERE key.recorded > ?1 AND key.recorded <= ?6 AND \(Self.isRecorded)\(wanted) ORDER BY key.recorded LIMIT ?2
        """, in: database)
      defer { statement.reset() }
      try statement.bind(1, number)
      try statement.bind(2, limit)
      if let list { try statement.bind(3, list.id) }
      if let error { try statement.bind(4, error) }
      if let since { try statement.bind(5, since.milliseconds) }
      try statement.bind(6, end)
      var outcomes: [Outcome] = []
      var last = number
      while try statement.next() {
        last = try statement.requiredInteger(10)
        outcomes.append(try Self.outcome(statement, list: list?.name ?? statement.text(9) ?? ""))
      }
      return (outcomes, outcomes.count < limit ? nil : last)
    }
  }
}
