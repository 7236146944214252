import Foundation
import GRDB
package import Registration

/// Which credentials registered what. The queue stores a keyed hash of them, never the credentials, and a number for
/// each.
extension RegistrationQueue {
  /// The number of the credentials with this tag, the same across restarts.
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

  /// Rows of each list that are searched for a registered key, from the last one on: the search at the start costs the
  /// same whatever the queue contains.
  private static let canaryRows = 2_000

  /// The last key that these credentials registered within this many `seconds`, in the newest list that has one; nil
  /// when none was found. Its age is measured on the clock that cannot be set.
  package func registeredKey(within seconds: Double, by registrar: Int64) throws -> RegisteredKey? {
    let now = clock.withLock { $0.advance().wall }
    return try read("look for a registered key") { database in
      let lists = try Int64.fetchAll(
        database, sql: "SELECT id FROM list WHERE registered > 0 ORDER BY id DESC LIMIT 20")
      let find = try database.cachedStatement(
        sql: """
          SELECT id, uuid, attempts, finished_at FROM (
            SELECT * FROM key INDEXED BY key_by_list WHERE list_id = ?1 AND id < COALESCE(
              (SELECT MIN(id) FROM key INDEXED BY key_pending WHERE state = 0 AND list_id = ?1), 9223372036854775807)
            ORDER BY id DESC LIMIT \(Self.canaryRows))
          WHERE state = 2 AND finished_at IS NOT NULL AND registrar = ?2 ORDER BY id DESC
          """)
      for list in lists {
        let rows = try Row.fetchCursor(find, arguments: [list, registrar])
        while let row = try rows.next() {
          let age = age(of: Timestamp(milliseconds: row["finished_at"])) / .seconds(1)
          guard age <= seconds, let id = AppKeyID(bytes: row["uuid"] as Data) else { continue }
          return RegisteredKey(
            key: DueKey(row: row["id"], id: id, attempts: DueKey.attempts(row["attempts"]), state: .registered),
            at: now.adding(seconds: -age))
        }
      }
      return nil
    }
  }
}
