import Foundation
import GRDB
package import Registration

/// Which failed keys an operator wants tried again.
package struct RetrySelection: Sendable {
  /// Only keys of this list.
  package var list: Int64?
  /// Only keys whose error title, detail or status has this text in it, in any letter case.
  package var error: String?
  /// Only these keys; none means all.
  package var keys: [AppKeyID]

  package init(list: Int64? = nil, error: String? = nil, keys: [AppKeyID] = []) {
    self.list = list
    self.error = error
    self.keys = keys
  }
}

extension RegistrationQueue {
  /// Rows changed in one transaction by `retry` and `cancel`, so that outcomes never wait long behind them.
  private static let stride = 5_000

  /// Puts failed keys back to pending. Returns how many.
  package func retry(_ selection: RetrySelection) throws -> Int {
    var total = 0
    var cursor: Int64 = 0
    let named = try selection.keys.isEmpty ? nil : rows(of: selection.keys).sorted()
    while true {
      let (count, last) = try write("put failed keys back") { database, changes -> (Int, Int64?) in
        var conditions = ["key.state = 3", "key.id > ?"]
        var arguments: StatementArguments = [cursor]
        if let list = selection.list {
          conditions.append(
            "(key.list_id = ? OR EXISTS (SELECT 1 FROM also_in WHERE key_id = key.id AND list_id = ?))")
          arguments += [list, list]
        }
        if let error = selection.error {
          conditions.append(
            """
            (instr(lower(COALESCE(error_title, '')), lower(?)) OR instr(lower(COALESCE(error_detail, '')), lower(?))
              OR CAST(http_status AS TEXT) = ?)
            """)
          arguments += [error, error, error]
        }
        if let named {
          let wanted = named.drop { $0 <= cursor }.prefix(Self.stride)
          guard !wanted.isEmpty else { return (0, nil) }
          conditions.append("key.id IN (\(wanted.map(String.init).joined(separator: ",")))")
        }
        let found = try Row.fetchAll(
          database,
          sql: """
            SELECT id, list_id FROM key WHERE \(conditions.joined(separator: " AND ")) ORDER BY id LIMIT \(Self.stride)
            """, arguments: arguments)
        for row in found {
          try Self.requeue(row["id"], from: .failed, owner: row["list_id"], in: database, changes: &changes)
          // Somebody wants a key of it again: a list that was cancelled lives again, or the next start would cancel it.
          try database.cachedStatement(
            sql: "UPDATE list SET cancelled_at = NULL WHERE id = ? AND cancelled_at IS NOT NULL"
          )
          .execute(arguments: [selection.list ?? row["list_id"] as Int64])
        }
        if let named {
          return (found.count, named.drop { $0 <= cursor }.prefix(Self.stride).last)
        }
        return (found.count, found.last?["id"])
      }
      total += count
      guard let last else { return total }
      cursor = last
    }
  }

  /// Cancels the open keys of a list that no other live list names. Returns how many.
  ///
  /// The list is marked first and the keys follow in steps; `finishCancels` completes what a kill has interrupted.
  ///
  /// - Parameter step: Called after each step.
  package func cancel(_ list: Int64, at now: Timestamp, step: () -> Void = {}) throws -> Int {
    try write("cancel a list") { database, changes in
      try database.execute(
        sql: "UPDATE list SET cancelled_at = ? WHERE id = ? AND cancelled_at IS NULL",
        arguments: [now.milliseconds, list])
      changes.listsChanged()
    }
    return try cancelKeys(of: list, at: now, step: step)
  }

  /// Completes cancellations that a kill has interrupted.
  package func finishCancels(at now: Timestamp) throws {
    let lists = try read("look for interrupted cancellations") { database in
      try Int64.fetchAll(database, sql: "SELECT id FROM list WHERE cancelled_at IS NOT NULL AND pending + retrying > 0")
    }
    for list in lists { _ = try cancelKeys(of: list, at: now) }
  }

  private func cancelKeys(of list: Int64, at now: Timestamp, step: () -> Void = {}) throws -> Int {
    let unwanted = """
      NOT EXISTS (
        SELECT 1 FROM list WHERE cancelled_at IS NULL
          AND (list.id = key.list_id OR list.id IN (SELECT list_id FROM also_in WHERE key_id = key.id)))
      """
    var total = 0
    var cursor: Int64 = 0
    while true {
      let (count, last) = try write("cancel keys") { database, changes -> (Int, Int64?) in
        let found = try Row.fetchAll(
          database,
          sql: """
            SELECT id, state, list_id FROM (
              SELECT * FROM (
                SELECT id, state, list_id FROM key
                WHERE list_id = ?2 AND id > ?1 AND state IN (0, 1) AND \(unwanted) ORDER BY id LIMIT \(Self.stride))
              UNION ALL SELECT * FROM (
                SELECT key.id, key.state, key.list_id FROM also_in CROSS JOIN key ON key.id = also_in.key_id
                WHERE also_in.list_id = ?2 AND also_in.key_id > ?1 AND key.state IN (0, 1) AND \(unwanted)
                ORDER BY also_in.key_id LIMIT \(Self.stride)))
            ORDER BY id LIMIT \(Self.stride)
            """, arguments: [cursor, list])
        let update = try database.cachedStatement(
          sql: "UPDATE key SET state = 4, finished_at = ?, due_at = NULL WHERE id = ?")
        for row in found {
          guard let old = KeyState(rawValue: row["state"]) else { throw QueueError.defect("an unknown state") }
          let id: Int64 = row["id"]
          try update.execute(arguments: [now.milliseconds, id])
          changes.move(
            from: old, to: .cancelled, owner: row["list_id"], alsoIn: try Self.otherLists(of: id, in: database))
        }
        return (found.count, found.last?["id"])
      }
      total += count
      step()
      guard let last else { return total }
      cursor = last
    }
  }

  private func rows(of keys: [AppKeyID]) throws -> [Int64] {
    try read("look up keys") { database in
      let find = try database.cachedStatement(sql: "SELECT id FROM key WHERE uuid = ?")
      return try keys.compactMap { try Int64.fetchOne(find, arguments: [Data($0.bytes)]) }
    }
  }
}
