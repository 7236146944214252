import Foundation
import GRDB
package import Registration

extension DueKey {
  /// Throws `QueueError` for a row that holds no key.
  init(_ row: Row) throws {
    let number: Int64 = row["id"]
    guard let id = AppKeyID(bytes: row["uuid"] as Data), let state = KeyState(rawValue: row["state"]) else {
      throw QueueError.damaged("row \(number) holds no key")
    }
    self.init(
      row: number, id: id, attempts: Self.attempts(row), state: state,
      isDenied: state == .retrying && row["denied_at"] != nil)
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
          keys.append(try DueKey(row))
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

  /// Pending keys of every list in turn, the last list first, from random places: canaries for a hold. What was
  /// refused came from the front, and the next keys of the same list would most likely be refused too.
  ///
  /// - Parameters:
  ///   - limit: The most keys returned. Of more lists than that, the last ones are asked.
  ///   - taken: Rows that are in hand already.
  package func sampleKeys(limit: Int, except taken: Set<Int64>) throws -> [DueKey] {
    try requireSound()
    var random = SystemRandomNumberGenerator()
    return try read("sample pending keys") { database in
      let lists = try Int64.fetchAll(
        database, sql: "SELECT id FROM list WHERE owned_open > 0 ORDER BY name DESC LIMIT ?", arguments: [limit])
      guard !lists.isEmpty else { return [] }
      let share = max(1, limit / lists.count)
      let bounds = try database.cachedStatement(
        // One end of the index each: both in one query would walk over all that is pending.
        sql: """
          SELECT (SELECT MIN(id) FROM key INDEXED BY key_pending WHERE state = 0 AND list_id = ?1),
            (SELECT MAX(id) FROM key INDEXED BY key_pending WHERE state = 0 AND list_id = ?1)
          """)
      let pending = try database.cachedStatement(
        sql: """
          SELECT id, uuid, attempts, state, denied_at FROM key INDEXED BY key_pending
          WHERE state = 0 AND list_id = ? AND id >= ? ORDER BY id
          """)
      var shares: [[DueKey]] = []
      for list in lists {
        guard let ends = try Row.fetchOne(bounds, arguments: [list]), let first: Int64 = ends[0] else { continue }
        var found: [DueKey] = []
        var seen = taken
        func take(from place: Int64, atMost count: Int) throws {
          let cursor = try Row.fetchCursor(pending, arguments: [list, place])
          let end = found.count + count
          while found.count < end, let row = try cursor.next() {
            if seen.insert(row["id"]).inserted { found.append(try DueKey(row)) }
          }
        }
        for _ in 0..<share / 2 {
          try take(from: .random(in: first...max(first, ends[1]), using: &random), atMost: 1)
        }
        try take(from: first, atMost: share - found.count)
        shares.append(found)
      }
      let longest = shares.map(\.count).max() ?? 0
      return (0..<longest).flatMap { turn in shares.compactMap { turn < $0.count ? $0[turn] : nil } }
    }
  }

  /// Seconds until the next waiting key is due, nil when none waits for a time to come.
  package func secondsUntilDue() throws -> Double? {
    let now = clock.withLock { $0.advance().sure }
    return try read("read the next due time") { database in
      try Int64.fetchOne(
        database, sql: "SELECT MIN(due_at) FROM key WHERE state = 1 AND due_at > ?", arguments: [now.milliseconds]
      ).map { Timestamp(milliseconds: $0).seconds(since: now) }
    }
  }
}
