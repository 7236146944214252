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
  static let stride = 5_000

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

  /// Puts those of `rows` back that still match the selection.
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

  private func rows(of keys: [AppKeyID]) throws -> [Int64] {
    try read("look up keys") { database in
      let find = try database.cachedStatement(sql: "SELECT id FROM key WHERE uuid = ?")
      return try keys.compactMap { try Int64.fetchOne(find, arguments: [Data($0.bytes)]) }
    }
  }
}
