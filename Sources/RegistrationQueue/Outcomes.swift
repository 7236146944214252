import Foundation
import GRDB
package import Registration

/// All that the queue knows of one key.
package struct KeyRecord: Sendable {
  package var row: Int64
  package var outcome: Outcome
  /// When the next attempt is due by the present wall clock, for a key that waits for one.
  package var dueAt: Timestamp?
  /// The names of its lists, the first to bring it first.
  package var lists: [String]
}

extension RegistrationQueue {
  private static let outcomeColumns = """
    key.id, uuid, state, http_status, attempts, first_attempt_at, key.finished_at, error_title, error_detail
    """

  /// The next outcomes in order of import after row `cursor`, and the row to go on from; nil at the end.
  ///
  /// Each page is a read of its own, so that a slow reader keeps no snapshot open and the log can be written back.
  /// - Parameter list: Only keys of this list, those that other lists brought first among them.
  package func outcomes(
    list: ListRecord? = nil, state: KeyState? = nil, after cursor: Int64 = 0, limit: Int
  ) throws -> (rows: [Outcome], next: Int64?) {
    try read("read outcomes") { database in
      let wanted = state.map { " AND key.state = \($0.rawValue)" } ?? ""
      let rows: [Row]
      if let list {
        // Two ordered walks, merged by SQLite: the keys that the list owns, and those that it shares.
        rows = try Row.fetchAll(
          try database.cachedStatement(
            sql: """
              SELECT * FROM (
                SELECT \(Self.outcomeColumns) FROM key
                WHERE key.list_id = ?1 AND key.id > ?2\(wanted) ORDER BY key.id LIMIT ?3)
              UNION ALL SELECT * FROM (
                SELECT \(Self.outcomeColumns) FROM also_in CROSS JOIN key ON key.id = also_in.key_id
                WHERE also_in.list_id = ?1 AND also_in.key_id > ?2\(wanted) ORDER BY also_in.key_id LIMIT ?3)
              ORDER BY 1 LIMIT ?3
              """), arguments: [list.id, cursor, limit])
      } else {
        rows = try Row.fetchAll(
          try database.cachedStatement(
            sql: """
              SELECT \(Self.outcomeColumns), list.name AS list FROM key JOIN list ON list.id = key.list_id
              WHERE key.id > ?1\(wanted) ORDER BY key.id LIMIT ?2
              """), arguments: [cursor, limit])
      }
      let outcomes = try rows.map { row in try Self.outcome(row, list: list?.name ?? row["list"]) }
      return (outcomes, rows.count < limit ? nil : rows.last?["id"])
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

  private static func outcome(_ row: Row, list: String) throws -> Outcome {
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
