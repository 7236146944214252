import GRDB
import Registration

/// The copy that is kept of a queue before its schema is brought up to date: an earlier version of keyreg refuses the
/// changed queue, and would otherwise have nothing to go back to.
enum EarlierQueue {
  /// Copies the queue at `path` to `PATH.schema-NAME`, NAME being its last migration, unless its schema is up to date
  /// or it has neither lists nor keys. Returns the copy's path, nil when there is none. The copy is checked, and on
  /// disk when this returns.
  ///
  /// After a kill between this and the change of the schema, the next start makes the copy again.
  static func keep(of pool: DatabasePool, path: String) throws -> String? {
    let last = try pool.read { database -> String? in
      guard try !Schema.migrator.hasCompletedMigrations(database),
        let last = try Schema.migrator.completedMigrations(database).last
      else { return nil }
      let isUsed = try Row.fetchOne(
        database, sql: "SELECT 1 WHERE EXISTS (SELECT 1 FROM list) OR EXISTS (SELECT 1 FROM key)")
      return isUsed == nil ? nil : last
    }
    guard let last else { return nil }
    let copy = "\(path).schema-\(last)"
    let temporary = copy + ".tmp"
    QueueFile.remove(temporary)
    // The start waits for this, and systemd for the start.
    if let damage = try RegistrationQueue.copy(pool, to: temporary, checking: .trees) {
      throw QueueError.corrupt(path: path, damage)
    }
    try QueueFile.move(temporary, to: copy)
    do throws(SystemFault) {
      try FileIO.syncFolder(of: path)
    } catch {
      throw QueueError.unreadable(copy, error)
    }
    return copy
  }
}
