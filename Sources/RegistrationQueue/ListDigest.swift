import GRDB
package import Registration

/// Failed keys of a list with the same error.
package struct FailureGroup: Sendable, Equatable {
  package var status: Int?
  /// Title and detail.
  package var error: String
  package var keys: Int
}

extension RegistrationQueue {
  /// Failed keys that are looked at, so that a list of millions of them delays nobody.
  private static let mostFailures = 50_000
  /// Groups to distinguish: an API may word each error differently.
  private static let mostGroups = 50
  /// The longest list whose keys are all looked at.
  private static let longestList = 200_000

  /// The failures of a list by error, the most frequent first.
  package func failures(of list: ListRecord) throws -> [FailureGroup] {
    guard list.keys[.failed] > 0 else { return [] }
    return try read("group the failures of a list") { database in
      let rows = try Row.fetchAll(
        database,
        sql: """
          SELECT http_status, error_title, error_detail, COUNT(*) AS count FROM (
            SELECT http_status, error_title, error_detail FROM key INDEXED BY key_failed
            WHERE state = 3
              AND (list_id = ?1 OR EXISTS (SELECT 1 FROM also_in WHERE key_id = key.id AND also_in.list_id = ?1))
            LIMIT \(Self.mostFailures))
          GROUP BY 1, 2, 3 ORDER BY 4 DESC LIMIT \(Self.mostGroups)
          """, arguments: [list.id])
      return rows.map { row in
        let texts: [String?] = [row["error_title"], row["error_detail"]]
        return FailureGroup(
          status: row["http_status"], error: texts.compactMap(\.self).joined(separator: ": "), keys: row.amount("count")
        )
      }
    }
  }

  /// Of the keys that this list was the first to bring, those that took longest from the first attempt to the outcome, the
  /// slowest first; nil for a list that is too long to look at each key.
  package func slowestKeys(of list: ListRecord, limit: Int = 10) throws -> [Outcome]? {
    guard list.keys.total <= Self.longestList else { return nil }
    return try read("look for the slowest keys of a list") { database in
      try Row.fetchAll(
        database,
        sql: """
          SELECT \(Self.outcomeColumns) FROM key
          WHERE list_id = ? AND finished_at IS NOT NULL AND first_attempt_at IS NOT NULL
          ORDER BY key.finished_at - first_attempt_at DESC, id LIMIT ?
          """, arguments: [list.id, limit]
      ).map { try Self.outcome($0, list: list.name) }
    }
  }
}
