import GRDB
package import Registration

/// A list in `rejected/`, with the reason and how much of it was read: one that is written to later is read again.
package struct RejectedList: Sendable, Hashable {
  package var name: String
  package var bytes: Int64
  /// The file's modification time, in nanoseconds since 1970.
  package var modified: Int64
  package var what: String
  package var line: Int?
  package var hint: String
  package var at: Timestamp

  package init(
    name: String, bytes: Int64, modified: Int64, what: String, line: Int?, hint: String, at: Timestamp
  ) {
    self.name = name
    self.bytes = bytes
    self.modified = modified
    self.what = what
    self.line = line
    self.hint = hint
    self.at = at
  }

  fileprivate static let columns = "name, bytes, modified_ns, what, line, hint, at"

  fileprivate init(_ row: Row) {
    self.init(
      name: row["name"], bytes: row["bytes"], modified: row["modified_ns"], what: row["what"], line: row["line"],
      hint: row["hint"], at: Timestamp(milliseconds: row["at"]))
  }
}

extension RegistrationQueue {
  /// Notes a list that is about to be moved to `rejected/`. For a new one, operators are to be notified.
  ///
  /// Returns how many older notifications were dropped for that.
  @discardableResult
  package func noteRejected(_ list: RejectedList, telling notifications: [DueNotification] = []) throws -> Int {
    try write("note a rejected list") { database, changes in
      let isKnown =
        try Row.fetchOne(
          database, sql: "SELECT 1 FROM rejected_list WHERE name = ?", arguments: [list.name]) != nil
      try database.execute(
        sql: "INSERT OR REPLACE INTO rejected_list (\(RejectedList.columns)) VALUES (?, ?, ?, ?, ?, ?, ?)",
        arguments: [list.name, list.bytes, list.modified, list.what, list.line, list.hint, list.at.milliseconds])
      if isKnown { return 0 }
      changes.addedRejections += 1
      return try Self.keep(notifications, in: database)
    }
  }

  /// Deletes the notes of rejected lists that were removed, or have become usable.
  package func forgetRejected(_ names: [String]) throws {
    guard !names.isEmpty else { return }
    try write("forget rejected lists") { database, changes in
      for name in names {
        try database.execute(sql: "DELETE FROM rejected_list WHERE name = ?", arguments: [name])
        changes.addedRejections -= database.changesCount
      }
    }
  }

  package func rejectedList(named name: String) throws -> RejectedList? {
    try read("read a rejected list") { database in
      try Row.fetchOne(
        try database.cachedStatement(sql: "SELECT \(RejectedList.columns) FROM rejected_list WHERE name = ?"),
        arguments: [name]
      ).map(RejectedList.init)
    }
  }

  /// The rejected lists after `name`, in order of their names, at most `limit` of them.
  package func rejectedLists(after name: String = "", limit: Int) throws -> [RejectedList] {
    try read("read the rejected lists") { database in
      try Row.fetchAll(
        database, sql: "SELECT \(RejectedList.columns) FROM rejected_list WHERE name > ? ORDER BY name LIMIT ?",
        arguments: [name, limit]
      ).map(RejectedList.init)
    }
  }

  /// True when the queue has a list of that name, even if its file is gone. A rejected one whose file is gone may come
  /// again, mended.
  package func hasList(named name: String) throws -> Bool {
    try read("look for a name") { database in
      try Row.fetchOne(
        try database.cachedStatement(sql: "SELECT 1 FROM list WHERE name = ?"), arguments: [name]) != nil
    }
  }
}
