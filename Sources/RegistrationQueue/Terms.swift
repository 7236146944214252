import GRDB
package import Registration

extension RegistrationQueue {
  /// Changes how a list is processed, from the next key on. Returns the changed list, nil when there is none of that name.
  package func setTerms(of name: String, _ change: ListTermsChange) throws -> ListRecord? {
    try write("change a list's terms") { database, changes -> Int64? in
      guard let list = try Int64.fetchOne(database, sql: "SELECT id FROM list WHERE name = ?", arguments: [name]) else {
        return nil
      }
      if let priority = change.priority {
        try database.execute(sql: "UPDATE list SET priority = ? WHERE id = ?", arguments: [priority, list])
      }
      switch change.stop {
      case .never: try database.execute(sql: "UPDATE list SET stop_after = NULL WHERE id = ?", arguments: [list])
      case .after(let share):
        try database.execute(sql: "UPDATE list SET stop_after = ? WHERE id = ?", arguments: [share, list])
        changes.lookForFailures(in: list)
      case nil: break
      }
      changes.listsChanged()
      return list
    } then: { list, database in
      try list.map { try Self.list($0, in: database) }
    }
  }
}

extension Changes {
  /// Stops a list whose share of failed keys is too large: it counts as cancelled from now on, and its open keys are
  /// cancelled in steps afterwards (`finishCancels`). True when it was stopped.
  static func stop(_ list: Int64, at now: Timestamp, in database: Database) throws -> Bool {
    try database.cachedStatement(
      sql: """
        UPDATE list SET cancelled_at = ?1, stopped_at = ?1
        WHERE id = ?2 AND stop_after IS NOT NULL AND cancelled_at IS NULL
          AND registered + failed >= ?3 AND failed > stop_after * (registered + failed)
          AND (imported_at IS NULL OR pending + retrying > 0)
        """
    ).execute(arguments: [now.milliseconds, list, ListTerms.leastFinished])
    return database.changesCount > 0
  }
}
