import Foundation
import GRDB
package import Registration

/// Which credentials registered what. The queue keeps a keyed hash of them, never themselves, and a number for each.
extension RegistrationQueue {
  /// The number of the credentials with this tag, the same over restarts.
  package func registrar(tag: [UInt8]) throws -> Int64 {
    let sql = "SELECT id FROM registrar WHERE tag = ?"
    let known = try read("look up the credentials") { try Int64.fetchOne($0, sql: sql, arguments: [Data(tag)]) }
    if let known { return known }
    return try write("note the credentials") { database, _ in
      try database.execute(sql: "INSERT OR IGNORE INTO registrar (tag) VALUES (?)", arguments: [Data(tag)])
      guard let id = try Int64.fetchOne(database, sql: sql, arguments: [Data(tag)]) else {
        throw QueueError.defect("the credentials were not noted")
      }
      return id
    }
  }

  /// Rows of each list that are looked at for a registered key, from its last one on: a look at the start costs the same
  /// whatever the queue holds.
  private static let canaryRows = 2_000

  /// A key that these credentials registered within so many `seconds`, of the newest lists; nil when none of those looked
  /// at was. Its age is counted by the clock that nobody can set.
  package func registeredKey(within seconds: Double, by registrar: Int64) throws -> RegisteredKey? {
    let now = clock.withLock { $0.advance().wall }
    return try read("look for a registered key") { database in
      let rows = try Row.fetchCursor(
        database,
        sql: """
          SELECT key.id, key.uuid, key.attempts, key.finished_at FROM (
            SELECT id FROM list WHERE registered > 0 ORDER BY id DESC LIMIT 20) AS recent
          CROSS JOIN key ON key.id IN (
            SELECT id FROM key INDEXED BY key_by_list WHERE list_id = recent.id AND id < COALESCE(
              (SELECT MIN(id) FROM key INDEXED BY key_pending WHERE state = 0 AND list_id = recent.id),
              9223372036854775807)
            ORDER BY id DESC LIMIT \(Self.canaryRows))
          WHERE key.state = 2 AND key.finished_at IS NOT NULL AND key.registrar = ?
          """, arguments: [registrar])
      while let row = try rows.next() {
        let age = age(of: Timestamp(milliseconds: row["finished_at"])) / .seconds(1)
        guard age <= seconds, let id = AppKeyID(bytes: row["uuid"] as Data) else { continue }
        return RegisteredKey(
          key: DueKey(row: row["id"], id: id, attempts: DueKey.attempts(row), state: .registered),
          at: now.adding(seconds: -age))
      }
      return nil
    }
  }
}
