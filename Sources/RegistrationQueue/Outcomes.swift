import Foundation
import GRDB
package import Registration

/// Everything that the queue knows about one key.
package struct KeyRecord: Sendable {
  package var row: Int64
  package var outcome: Outcome
  /// When the next attempt is due on the current wall clock, for a key that waits for one.
  package var dueAt: Timestamp?
  /// The names of its lists; the one that brought it comes first.
  package var lists: [String]
}

extension RegistrationQueue {
  static let outcomeColumns = """
    key.id, uuid, state, http_status, attempts, first_attempt_at, key.finished_at, error_title, error_detail
    """

  /// The next outcomes in order of import after row `cursor`, and the row to continue from; nil at the end.
  ///
  /// Each page is a separate read, so that a slow reader keeps no snapshot open and the log can be written back.
  /// - Parameters:
  ///   - list: Only keys of this list, including those that other lists brought first.
  ///   - error: Only keys whose error contains this text, or whose status it is.
  ///   - since: Only keys that had their outcome at this time or later.
  ///   - until: Only keys that have an outcome, and none with a higher number.
  package func outcomes(
    list: ListRecord? = nil, state: KeyState? = nil, error: String? = nil, since: Timestamp? = nil,
    until: Int64? = nil, after cursor: Int64 = 0, limit: Int
  ) throws -> (rows: [Outcome], next: Int64?) {
    try read("read outcomes") { database in
      var wanted = Self.wanted(state: state, error: error, since: since)
      if until != nil { wanted += " AND \(Self.isRecorded) AND (key.recorded IS NULL OR key.recorded <= ?6)" }
      let statement: HotStatement
      if let list {
        // Two ordered scans, merged by SQLite: the keys that the list owns, and those that it shares.
        statement = try HotStatement(
          """
          SELECT * FROM (
            SELECT \(Self.outcomeColumns) FROM key
            WHERE key.list_id = ?3 AND key.id > ?1\(wanted) ORDER BY key.id LIMIT ?2)
          UNION ALL SELECT * FROM (
            SELECT \(Self.outcomeColumns) FROM also_in CROSS JOIN key ON key.id = also_in.key_id
            WHERE also_in.list_id = ?3 AND also_in.key_id > ?1\(wanted) ORDER BY also_in.key_id LIMIT ?2)
          ORDER BY 1 LIMIT ?2
          """, in: database)
        try statement.bind(3, list.id)
      } else {
        statement = try HotStatement(
          """
          SELECT \(Self.outcomeColumns), list.name FROM key JOIN list ON list.id = key.list_id
          WHERE key.id > ?1\(wanted) ORDER BY key.id LIMIT ?2
          """, in: database)
      }
      defer { statement.reset() }
      try statement.bind(1, cursor)
      try statement.bind(2, limit)
      if let error { try statement.bind(4, error) }
      if let since { try statement.bind(5, since.milliseconds) }
      if let until { try statement.bind(6, until) }
      var outcomes: [Outcome] = []
      var last = cursor
      while try statement.next() {
        last = try statement.requiredInteger(0)
        outcomes.append(try Self.outcome(statement, list: list?.name ?? statement.text(9) ?? ""))
      }
      return (outcomes, outcomes.count < limit ? nil : last)
    }
  }

  /// Conditions on a key, each with `AND`; the error is parameter 4, the time 5.
  static func wanted(state: KeyState?, error: String?, since: Timestamp?) -> String {
    var wanted = state.map { " AND key.state = \($0.rawValue)" } ?? ""
    if error != nil { wanted += " AND \(errorCondition("?4"))" }
    if since != nil { wanted += " AND key.finished_at >= ?5" }
    return wanted
  }

  static func outcome(_ row: HotStatement, list: String) throws -> Outcome {
    guard let id = row.keyID(1), let state = KeyState(rawValue: Int(try row.requiredInteger(2))) else {
      throw QueueError.damaged("a row holds no key")
    }
    return Outcome(
      id: id, state: state, httpStatus: row.integer(3).map { Int($0) }, attempts: Int(try row.requiredInteger(4)),
      firstAttemptAt: row.integer(5).map(Timestamp.init(milliseconds:)),
      finishedAt: row.integer(6).map(Timestamp.init(milliseconds:)), errorTitle: row.text(7), errorDetail: row.text(8),
      list: list)
  }

  /// What is known of these keys, with their rows; those that are not in the list are left out.
  package func outcomes(
    of ids: [AppKeyID], in list: ListRecord
  ) throws -> [AppKeyID: (row: Int64, outcome: Outcome)] {
    try read("look up outcomes") { database in
      let statement = try HotStatement(
        """
        SELECT \(Self.outcomeColumns) FROM key
        WHERE uuid = ?1 AND (list_id = ?2 OR EXISTS (SELECT 1 FROM also_in WHERE key_id = key.id AND list_id = ?2))
        """, in: database)
      try statement.bind(2, list.id)
      var found: [AppKeyID: (row: Int64, outcome: Outcome)] = [:]
      for id in ids {
        defer { statement.reset() }
        try statement.bind(1, id)
        guard try statement.next() else { continue }
        found[id] = (try statement.requiredInteger(0), try Self.outcome(statement, list: list.name))
      }
      return found
    }
  }

  package func key(_ id: AppKeyID) throws -> KeyRecord? {
    let time = clock.withLock { $0.advance() }
    return try read("read a key") { database in
      guard
        let row = try Row.fetchOne(
          database,
          sql: """
            SELECT \(Self.outcomeColumns), due_at, list.name AS list FROM key JOIN list ON list.id = key.list_id
            WHERE uuid = ?
            """, arguments: [Data(id.bytes)])
      else { return nil }
      let others = try String.fetchAll(
        database, sql: "SELECT name FROM also_in JOIN list ON list.id = list_id WHERE key_id = ? ORDER BY list_id",
        arguments: [row["id"] as Int64])
      let owner: String = row["list"]
      return KeyRecord(
        row: row["id"], outcome: try Self.outcome(row, list: owner),
        dueAt: (row["due_at"] as Int64?).map { due in
          time.wall.adding(seconds: Timestamp(milliseconds: due).seconds(since: time.sure))
        }, lists: [owner] + others)
    }
  }

  static func outcome(_ row: Row, list: String) throws -> Outcome {
    guard let id = AppKeyID(bytes: row["uuid"] as Data), let state = KeyState(rawValue: row["state"]) else {
      throw QueueError.damaged("a row holds no key")
    }
    return Outcome(
      id: id, state: state, httpStatus: row["http_status"], attempts: row["attempts"],
      firstAttemptAt: (row["first_attempt_at"] as Int64?).map(Timestamp.init(milliseconds:)),
      finishedAt: (row["finished_at"] as Int64?).map(Timestamp.init(milliseconds:)), errorTitle: row["error_title"],
      errorDetail: row["error_detail"], list: list)
  }
}
