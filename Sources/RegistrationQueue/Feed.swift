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
  /// The API has said once that it does not know the key: the next time is the second look.
  package var isDenied: Bool

  package init(row: Int64, id: AppKeyID, attempts: Int, state: KeyState, isDenied: Bool = false) {
    self.row = row
    self.id = id
    self.attempts = attempts
    self.state = state
    self.isDenied = isDenied
  }

  /// A number that anybody may have edited, within bounds in which one can count on.
  static func attempts(_ row: Row) -> Int { min(max(0, row["attempts"]), 1_000_000) }
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
          keys.append(
            DueKey(
              row: number, id: id, attempts: DueKey.attempts(row), state: state,
              isDenied: state == .retrying && row["denied_at"] != nil))
        }
      }
      let columns = "SELECT id, uuid, attempts, state, denied_at FROM key"
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
          SELECT id, uuid, attempts, state, denied_at FROM key INDEXED BY key_pending WHERE state = 0 AND list_id = ? ORDER BY id
          """)
      while keys.count < limit, let list = try lists.next() {
        try take(try Row.fetchCursor(pending, arguments: [list]))
      }
      return keys
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
