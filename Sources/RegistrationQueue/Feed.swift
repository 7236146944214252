import Foundation
import GRDB
package import Registration

/// A key that is due, as a worker needs it.
package struct DueKey: Sendable, Hashable {
  /// The row, which is also the order of import.
  package var row: Int64
  package var id: AppKeyID
  package var attempts: Int
  /// `pending` or `retrying`; `registered` for a canary.
  package var state: KeyState

  package init(row: Int64, id: AppKeyID, attempts: Int, state: KeyState) {
    self.row = row
    self.id = id
    self.attempts = attempts
    self.state = state
  }
}

extension RegistrationQueue {
  /// The next keys to work on: first those whose wait for another attempt is over, then pending ones in the order of
  /// list name (bytes, as the C locale has it) and line.
  ///
  /// - Parameters:
  ///   - limit: The most keys wanted.
  ///   - taken: Rows that are in hand already; they are passed over.
  ///   - horizon: The longest wait that is ever set, in seconds. A key that would wait longer is due: no wait was so long.
  package func dueKeys(limit: Int, except taken: Set<Int64>, horizon: Double) throws -> [DueKey] {
    // Nothing is sent whose outcome could not be kept.
    try requireSound()
    let now = clock.withLock { $0.advance().sure }
    return try read("read due keys") { database in
      var keys: [DueKey] = []
      func take(_ cursor: RowCursor) throws {
        while keys.count < limit, let row = try cursor.next() {
          let number: Int64 = row["id"]
          guard !taken.contains(number) else { continue }
          guard let id = AppKeyID(bytes: row["uuid"] as Data), let state = KeyState(rawValue: row["state"]) else {
            throw QueueError.defect("row \(number) holds no key")
          }
          keys.append(DueKey(row: number, id: id, attempts: row["attempts"], state: state))
        }
      }
      let columns = "SELECT id, uuid, attempts, state FROM key"
      try take(
        try Row.fetchCursor(
          try database.cachedStatement(sql: "\(columns) WHERE state = 1 AND due_at <= ? ORDER BY due_at"),
          arguments: [now.milliseconds]))
      try take(
        try Row.fetchCursor(
          try database.cachedStatement(sql: "\(columns) WHERE state = 1 AND due_at > ? ORDER BY due_at"),
          arguments: [now.adding(seconds: horizon).milliseconds]))
      guard keys.count < limit else { return keys }
      let lists = try Int64.fetchCursor(database, sql: "SELECT id FROM list WHERE owned_open > 0 ORDER BY name")
      // By name: without statistics SQLite would as soon walk over all that is finished of the list.
      let pending = try database.cachedStatement(
        sql: """
          SELECT id, uuid, attempts, state FROM key INDEXED BY key_pending WHERE state = 0 AND list_id = ? ORDER BY id
          """)
      while keys.count < limit, let list = try lists.next() {
        try take(try Row.fetchCursor(pending, arguments: [list]))
      }
      return keys
    }
  }

  /// Rows of each list that are looked at for a registered key, from its last one on: a look at the start costs the same
  /// whatever the queue holds.
  private static let canaryRows = 2_000

  /// A key that was registered at `since` or later, of the newest lists; nil when none of those looked at was.
  package func registeredKey(since: Timestamp) throws -> DueKey? {
    try read("look for a registered key") { database in
      try Row.fetchOne(
        database,
        sql: """
          SELECT key.id, key.uuid, key.attempts FROM (
            SELECT id FROM list WHERE registered > 0 AND (finished_at IS NULL OR finished_at >= ?1)
            ORDER BY id DESC LIMIT 20) AS recent
          CROSS JOIN key ON key.id IN (
            SELECT id FROM key INDEXED BY key_by_list WHERE list_id = recent.id AND id < COALESCE(
              (SELECT MIN(id) FROM key INDEXED BY key_pending WHERE state = 0 AND list_id = recent.id),
              9223372036854775807)
            ORDER BY id DESC LIMIT \(Self.canaryRows))
          WHERE key.state = 2 AND key.finished_at >= ?1
          LIMIT 1
          """, arguments: [since.milliseconds]
      ).flatMap { row in
        AppKeyID(bytes: row["uuid"] as Data).map {
          DueKey(row: row["id"], id: $0, attempts: row["attempts"], state: .registered)
        }
      }
    }
  }

  /// Seconds until the next waiting key is due, nil when none waits for a time to come.
  package func secondsUntilDue() throws -> Double? {
    let now = clock.withLock { $0.advance().sure }
    return try read("read the next due time") { database in
      try Int64.fetchOne(
        database, sql: "SELECT MIN(due_at) FROM key WHERE state = 1 AND due_at > ?", arguments: [now.milliseconds]
      ).map { Double($0 - now.milliseconds) / 1_000 }
    }
  }
}
