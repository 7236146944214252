import GRDB
import Registration

/// Lists that ended long ago are forgotten: they are no longer listed, and keys that other lists brought no longer belong
/// to them. Otherwise a daily list of the same keys would make the outcome of each key ever more expensive.
///
/// Their rows stay: the outcomes of the keys that they brought name them, and the spool is compared with their names. A
/// list that is opened again, because one of its keys is or its file has grown, is listed again.
extension RegistrationQueue {
  /// Forgets the lists whose results were written, and whose file was filed, longer ago than `keep`. Returns how many.
  ///
  /// The lists are marked first and their keys leave them in steps; the next call completes what a kill interrupted.
  @discardableResult
  package func forget(after keep: Duration) throws -> Int {
    let ended = try read("look for lists to forget") { database in
      try Row.fetchAll(
        database,
        sql: """
          SELECT id, MAX(results_at, filed_at, finished_at) FROM list
          WHERE forgotten_at IS NULL AND results_at IS NOT NULL AND filed_at IS NOT NULL AND finished_at IS NOT NULL
            AND imported_at IS NOT NULL AND pending + retrying = 0
          """
      ).map { (id: $0[0] as Int64, at: Timestamp(milliseconds: $0[1])) }
    }
    var old = ended.filter { age(of: $0.at) > keep }[...]
    var forgotten = 0
    while !old.isEmpty {
      let lists = old.prefix(Self.stride)
      old = old.dropFirst(Self.stride)
      forgotten += try write("forget lists") { database, changes in
        // Not one that was opened again meanwhile.
        let update = try database.cachedStatement(
          sql: """
            UPDATE list SET forgotten_at = ? WHERE id = ? AND MAX(results_at, filed_at, finished_at) = ?
              AND imported_at IS NOT NULL AND pending + retrying = 0
            """)
        return try lists.count { list in
          try update.execute(arguments: [changes.now.milliseconds, list.id, list.at.milliseconds])
          return database.changesCount > 0
        }
      }
    }
    while try takeKeysFromForgottenLists() > 0 {}
    return forgotten
  }

  /// Returns how many keys left a list.
  private func takeKeysFromForgottenLists() throws -> Int {
    let list = try read("look for keys of forgotten lists") { database in
      try Int64.fetchOne(
        database,
        sql: """
          SELECT id FROM list WHERE forgotten_at IS NOT NULL
            AND EXISTS (SELECT 1 FROM also_in WHERE list_id = list.id) LIMIT 1
          """)
    }
    guard let list else { return 0 }
    return try write("take keys from a forgotten list") { database, _ in
      // Opened again meanwhile, it keeps the keys that it has.
      let last = try Int64.fetchOne(
        database,
        sql: """
          SELECT MAX(key_id) FROM (SELECT key_id FROM also_in
            WHERE list_id = ?1 AND (SELECT forgotten_at FROM list WHERE id = ?1) IS NOT NULL
            ORDER BY key_id LIMIT \(Self.stride))
          """, arguments: [list])
      guard let last else { return 0 }
      let counts = """
        SELECT COUNT(*) FROM also_in CROSS JOIN key ON key.id = also_in.key_id
        WHERE also_in.list_id = ?1 AND also_in.key_id <= ?2 AND key.state =
        """
      try database.execute(
        sql: """
          UPDATE list SET registered = registered - (\(counts) 2), failed = failed - (\(counts) 3),
            cancelled = cancelled - (\(counts) 4)
          WHERE id = ?1
          """, arguments: [list, last])
      try database.execute(
        sql: "DELETE FROM also_in WHERE list_id = ?1 AND key_id <= ?2", arguments: [list, last])
      return database.changesCount
    }
  }
}
