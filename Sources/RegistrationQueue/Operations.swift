import Foundation
import GRDB
package import Registration

/// Which failed keys an operator wants to retry.
package struct RetrySelection: Sendable {
  /// Only keys of this list.
  package var list: Int64?
  /// Only keys whose error title, detail or status contains this text, in any letter case.
  package var error: String?
  /// Only these keys; if empty, all.
  package var keys: [AppKeyID]

  package init(list: Int64? = nil, error: String? = nil, keys: [AppKeyID] = []) {
    self.list = list
    self.error = error
    self.keys = keys
  }
}

extension RegistrationQueue {
  /// Rows changed in one transaction by `retry` and `cancel`, so that outcomes never wait long. The rows are looked up
  /// outside the transaction.
  private static let stride = 5_000

  /// Puts failed keys back to pending. Returns how many.
  ///
  /// - Parameter step: Called after each step.
  package func retry(_ selection: RetrySelection, step: () -> Void = {}) throws -> Int {
    let named = try selection.keys.isEmpty ? nil : rows(of: selection.keys).sorted()
    var total = 0
    var cursor: Int64 = 0
    while true {
      let found: [Int64]
      if let named {
        found = Array(named.drop { $0 <= cursor }.prefix(Self.stride))
      } else {
        found = try failedKeys(of: selection, after: cursor)
      }
      guard let last = found.last else { return total }
      total += try write("put failed keys back") { database, changes in
        try Self.requeueFailed(found, selection, in: database, changes: &changes)
      }
      step()
      cursor = last
    }
  }

  private func failedKeys(of selection: RetrySelection, after cursor: Int64) throws -> [Int64] {
    let (conditions, arguments) = Self.conditions(selection)
    return try read("look for failed keys") { database in
      try Int64.fetchAll(
        database,
        sql: """
          SELECT id FROM key INDEXED BY key_failed WHERE id > ? AND \(conditions) ORDER BY id LIMIT \(Self.stride)
          """, arguments: [cursor] + arguments)
    }
  }

  /// Those of `rows` that still are what was looked for.
  private static func requeueFailed(
    _ rows: [Int64], _ selection: RetrySelection, in database: Database, changes: inout Changes
  ) throws -> Int {
    let (conditions, arguments) = conditions(selection)
    let find = try database.cachedStatement(sql: "SELECT list_id FROM key WHERE id = ? AND \(conditions)")
    // A cancelled list with a key that is wanted again is no longer cancelled; otherwise the next start would cancel
    // the key.
    let revive = try database.cachedStatement(
      sql: "UPDATE list SET cancelled_at = NULL, stopped_at = NULL WHERE id = ? AND cancelled_at IS NOT NULL")
    var count = 0
    for row in rows {
      guard let owner = try Int64.fetchOne(find, arguments: [row] + arguments) else { continue }
      try requeue(row, from: .failed, owner: owner, in: database, changes: &changes)
      try revive.execute(arguments: [selection.list ?? owner])
      count += 1
    }
    return count
  }

  /// Whether a key's error contains a text, or its status is the text.
  static func errorCondition(_ placeholder: String) -> String {
    """
    (instr(lower(COALESCE(error_title, '')), lower(\(placeholder)))
      OR instr(lower(COALESCE(error_detail, '')), lower(\(placeholder))) OR CAST(http_status AS TEXT) = \(placeholder))
    """
  }

  private static func conditions(_ selection: RetrySelection) -> (sql: String, arguments: StatementArguments) {
    var conditions = ["key.state = 3"]
    var arguments = StatementArguments()
    if let list = selection.list {
      conditions.append("(key.list_id = ? OR EXISTS (SELECT 1 FROM also_in WHERE key_id = key.id AND list_id = ?))")
      arguments += [list, list]
    }
    if let error = selection.error {
      conditions.append(errorCondition("?"))
      arguments += [error, error, error]
    }
    return (conditions.joined(separator: " AND "), arguments)
  }

  /// Cancels the open keys of a list that no other active list contains. Returns how many.
  ///
  /// The list is marked first and the keys follow in steps; `finishCancels` completes what a kill interrupted.
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

  /// Completes cancellations that a kill interrupted, and cancels the open keys of lists that were stopped. If it throws,
  /// `takeStops` asks for it again.
  ///
  /// - Parameter step: Called after each step.
  package func finishCancels(at now: Timestamp, step: () -> Void = {}) throws {
    do {
      let lists = try read("look for interrupted cancellations") { database in
        try Int64.fetchAll(
          database, sql: "SELECT id FROM list WHERE cancelled_at IS NOT NULL AND pending + retrying > 0")
      }
      for list in lists { _ = try cancelKeys(of: list, at: now, step: step) }
    } catch {
      stops.withLock { $0 = true }
      throw error
    }
  }

  private func cancelKeys(of list: Int64, at now: Timestamp, step: () -> Void = {}) throws -> Int {
    var total = 0
    var cursor: Int64 = 0
    while true {
      let found = try unwantedKeys(of: list, after: cursor)
      guard let last = found.last else { return total }
      total += try write("cancel keys") { database, changes in
        let find = try database.cachedStatement(
          sql: """
            SELECT state, list_id, first_attempt_at FROM key WHERE id = ? AND state IN (0, 1) AND \(Self.unwanted)
            """)
        let update = try database.cachedStatement(
          sql: """
            UPDATE key SET state = 4, finished_at = ?, due_at = NULL, error_title = COALESCE(?, error_title),
              error_detail = COALESCE(?, error_detail), recorded = ? WHERE id = ?
            """)
        let reason = try Self.list(list, in: database).stop
        let others = try OtherLists(in: database)
        var count = 0
        for id in found {
          guard let row = try Row.fetchOne(find, arguments: [id]) else { continue }
          guard let old = KeyState(rawValue: row["state"]) else { throw QueueError.damaged("an unknown state") }
          let end = max(now, Timestamp(milliseconds: row["first_attempt_at"] ?? .min))
          try update.execute(
            arguments: [end.milliseconds, reason?.title, reason?.detail, changes.putDown(end), id])
          changes.move(from: old, to: .cancelled, owner: row["list_id"], alsoIn: try others.of(id))
          count += 1
        }
        return count
      }
      step()
      cursor = last
    }
  }

  /// Every list that contains the key is cancelled.
  private static let unwanted = """
    NOT EXISTS (
      SELECT 1 FROM list WHERE cancelled_at IS NULL
        AND (list.id = key.list_id OR list.id IN (SELECT list_id FROM also_in WHERE key_id = key.id)))
    """

  /// Open keys of a list that no other list wants, at most `stride` of them, in order. Each part uses its own index, so
  /// that finished keys of the list cost nothing.
  private func unwantedKeys(of list: Int64, after cursor: Int64) throws -> [Int64] {
    try read("look for keys to cancel") { database in
      try Int64.fetchAll(
        database,
        sql: """
          SELECT id FROM (
            SELECT * FROM (
              SELECT id FROM key INDEXED BY key_pending
              WHERE state = 0 AND list_id = ?2 AND id > ?1 AND \(Self.unwanted) ORDER BY id LIMIT \(Self.stride))
            UNION ALL SELECT * FROM (
              SELECT id FROM key INDEXED BY key_retrying
              WHERE state = 1 AND list_id = ?2 AND id > ?1 AND \(Self.unwanted) ORDER BY id LIMIT \(Self.stride))
            UNION ALL SELECT * FROM (
              SELECT key.id FROM also_in CROSS JOIN key ON key.id = also_in.key_id
              WHERE also_in.list_id = ?2 AND also_in.key_id > ?1 AND key.state IN (0, 1) AND \(Self.unwanted)
              ORDER BY also_in.key_id LIMIT \(Self.stride)))
          ORDER BY id LIMIT \(Self.stride)
          """, arguments: [cursor, list])
    }
  }

  private func rows(of keys: [AppKeyID]) throws -> [Int64] {
    try read("look up keys") { database in
      let find = try database.cachedStatement(sql: "SELECT id FROM key WHERE uuid = ?")
      return try keys.compactMap { try Int64.fetchOne(find, arguments: [Data($0.bytes)]) }
    }
  }
}
