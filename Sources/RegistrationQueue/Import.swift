import Foundation
import GRDB
package import Registration

/// A list about to be read.
package struct ListSource: Sendable {
  /// The file name in `incoming/`, as bytes.
  package var file: [UInt8]
  package var sha256: String
  package var bytes: Int
  package var format: String
  /// Whether keys that are registered already are registered again.
  package var isForced: Bool
  package var arrivedAt: Timestamp

  package init(file: [UInt8], sha256: String, bytes: Int, format: String, isForced: Bool, arrivedAt: Timestamp) {
    self.file = file
    self.sha256 = sha256
    self.bytes = bytes
    self.format = format
    self.isForced = isForced
    self.arrivedAt = arrivedAt
  }
}

/// A line of a list that names no key.
package struct RejectedLine: Sendable, Hashable {
  package var line: Int
  package var text: String
  package var reason: String

  package init(line: Int, text: String, reason: String) {
    self.line = line
    self.text = text
    self.reason = reason
  }
}

/// Consecutive entries of a list, committed together with the place that the import has reached.
package struct ImportBatch: Sendable {
  package var keys: [AppKeyID] = []
  /// How many lines named no key.
  package var invalid = 0
  /// Those of them that are kept for the receipt.
  package var rejected: [RejectedLine] = []

  package init() {}

  /// Entries in the batch, good and bad.
  package var entries: Int { keys.count + invalid }
}

extension RegistrationQueue {
  /// The list whose source is this very file: still being read, or read but not moved away yet.
  package func unfiledList(file: [UInt8]) throws -> ListRecord? {
    try read("look for an interrupted import") { database in
      try Row.fetchOne(
        database,
        sql: "SELECT \(ListRecord.columns) FROM list WHERE filed_at IS NULL AND source = ? ORDER BY id DESC",
        arguments: [Data(file)]
      ).map(ListRecord.init)
    }
  }

  /// How many lists came from files of this name.
  package func listCount(file: [UInt8]) throws -> Int {
    try read("count lists of a name") { database in
      try Int.fetchOne(database, sql: "SELECT COUNT(*) FROM list WHERE source = ?", arguments: [Data(file)]) ?? 0
    }
  }

  /// Every list whose source was not seen moved away, oldest first.
  package func unfiledLists() throws -> [ListRecord] {
    try read("look for interrupted imports") { database in
      try Row.fetchAll(database, sql: "SELECT \(ListRecord.columns) FROM list WHERE filed_at IS NULL ORDER BY id")
        .map(ListRecord.init)
    }
  }

  /// Enters a list under the first of `names` that no list has, with its first entries. The names must not run out.
  ///
  /// - Parameter isWhole: There are no more entries; the list is imported when this returns. Most lists are short, and
  ///   so cost one commit.
  package func beginImport(
    _ source: ListSource, names: some Sequence<String>, first batch: ImportBatch, isWhole: Bool
  ) throws -> ListRecord {
    try write("begin an import") { database, changes in
      let taken = try database.cachedStatement(sql: "SELECT 1 FROM list WHERE name = ?")
      guard let name = try names.first(where: { try Row.fetchOne(taken, arguments: [$0]) == nil }) else {
        throw QueueError.defect("no free name for a list")
      }
      let twin = try String.fetchOne(
        database, sql: "SELECT name FROM list WHERE sha256 = ? AND imported_at IS NOT NULL ORDER BY id LIMIT 1",
        arguments: [source.sha256])
      try database.execute(
        sql: """
          INSERT INTO list (name, source, sha256, bytes, format, forced, duplicate_of, arrived_at)
          VALUES (?, ?, ?, ?, ?, ?, ?, ?)
          """,
        arguments: [
          name, Data(source.file), source.sha256, source.bytes, source.format, source.isForced, twin,
          source.arrivedAt.milliseconds,
        ])
      changes.listsChanged()
      let list = database.lastInsertedRowID
      try Self.insert(batch, into: list, in: database, changes: &changes)
      if isWhole { try Self.finish(list, at: changes.now, in: database, changes: &changes) }
      return list
    } then: { list, database in
      try Self.list(list, in: database)
    }
  }

  /// Commits the next entries of a list, together with how far it has been read.
  ///
  /// - Parameter isLast: There are no more; the list is imported when this returns.
  @discardableResult
  package func importBatch(_ batch: ImportBatch, into list: Int64, isLast: Bool = false) throws -> ListRecord {
    try write("commit keys of a list") { database, changes in
      try Self.insert(batch, into: list, in: database, changes: &changes)
      if isLast { try Self.finish(list, at: changes.now, in: database, changes: &changes) }
      return list
    } then: { list, database in
      try Self.list(list, in: database)
    }
  }

  /// Notes that the last key of a list is committed.
  package func finishImport(_ list: Int64) throws -> ListRecord {
    try importBatch(ImportBatch(), into: list, isLast: true)
  }

  private static func finish(_ list: Int64, at now: Timestamp, in database: Database, changes: inout Changes) throws {
    try database.execute(
      sql: "UPDATE list SET imported_at = ? WHERE id = ? AND imported_at IS NULL", arguments: [now.milliseconds, list])
    changes.listsChanged()
    // Even a list that brought nothing new may be finished by having been read.
    changes.look(at: list)
  }

  /// The batch is inserted in the order of its ids, so that neighbouring keys share pages of the unique index; the row
  /// number still follows the line, since the order of work and of outcomes is the order of the list.
  private static func insert(
    _ batch: ImportBatch, into list: Int64, in database: Database, changes: inout Changes
  ) throws {
    let record = try Self.list(list, in: database)
    var accepted = 0
    var known = 0
    var duplicates = 0
    var requeued = 0
    let insert = try database.cachedStatement(
      sql:
        "INSERT INTO key (id, uuid, list_id, state, finished_at) VALUES (?, ?, ?, ?, ?) ON CONFLICT (uuid) DO NOTHING"
    )
    let find = try database.cachedStatement(sql: "SELECT id, state, list_id FROM key WHERE uuid = ?")
    let share = try database.cachedStatement(
      sql: "INSERT INTO also_in (key_id, list_id) VALUES (?, ?) ON CONFLICT DO NOTHING")
    let state: KeyState = record.cancelledAt == nil ? .pending : .cancelled
    let first = (try Int64.fetchOne(database, sql: "SELECT MAX(id) FROM key") ?? 0) + 1
    for (offset, key) in batch.keys.enumerated().sorted(by: { ($0.element, $0.offset) < ($1.element, $1.offset) }) {
      let uuid = Data(key.bytes)
      try insert.execute(arguments: [
        first + Int64(offset), uuid, list, state.rawValue, state.isFinal ? changes.now.milliseconds : nil,
      ])
      if database.changesCount > 0 {
        accepted += 1
        changes.add(state, ownedBy: list)
        continue
      }
      guard let row = try Row.fetchOne(find, arguments: [uuid]), let old = KeyState(rawValue: row["state"]) else {
        throw QueueError.defect("a key that could not be inserted is not there")
      }
      let id: Int64 = row["id"]
      let owner: Int64 = row["list_id"]
      if owner != list { try share.execute(arguments: [id, list]) }
      guard owner != list, database.changesCount > 0 else {
        duplicates += 1
        continue
      }
      known += 1
      changes.share(old, with: list)
      let isWanted = old == .failed || old == .cancelled || (old == .registered && record.isForced)
      if isWanted, state == .pending {
        try Self.requeue(id, from: old, owner: owner, in: database, changes: &changes)
        requeued += 1
      }
    }
    for line in batch.rejected {
      try database.cachedStatement(sql: "INSERT INTO invalid_line (list_id, line, text, reason) VALUES (?, ?, ?, ?)")
        .execute(arguments: [list, line.line, line.text, line.reason])
    }
    try database.execute(
      sql: """
        UPDATE list SET entries = entries + ?, accepted = accepted + ?, already_known = already_known + ?,
          duplicate_in_list = duplicate_in_list + ?, invalid = invalid + ?, requeued = requeued + ? WHERE id = ?
        """,
      arguments: [batch.entries, accepted, known, duplicates, batch.invalid, requeued, list])
  }

  /// Notes that the source of a list lies in its last place; its invalid lines are in the receipt by then.
  package func noteFiled(_ list: Int64, at now: Timestamp) throws {
    try write("note a filed list") { database, _ in
      try database.execute(sql: "UPDATE list SET filed_at = ? WHERE id = ?", arguments: [now.milliseconds, list])
      try database.execute(sql: "DELETE FROM invalid_line WHERE list_id = ?", arguments: [list])
    }
  }

  /// The invalid lines kept for a list's receipt, in order.
  package func rejectedLines(of list: Int64) throws -> [RejectedLine] {
    try read("read invalid lines") { database in
      try Row.fetchAll(
        database, sql: "SELECT line, text, reason FROM invalid_line WHERE list_id = ? ORDER BY rowid", arguments: [list]
      ).map { RejectedLine(line: $0["line"], text: $0["text"], reason: $0["reason"]) }
    }
  }

  /// Forgets a list that turned out to name no key at all.
  package func abandonImport(_ list: Int64) throws {
    try write("abandon an import") { database, changes in
      try database.execute(sql: "DELETE FROM invalid_line WHERE list_id = ?", arguments: [list])
      try database.execute(
        sql: """
          DELETE FROM list WHERE id = ? AND accepted + already_known + duplicate_in_list = 0
          """, arguments: [list])
      changes.listsChanged()
    }
  }

  /// Puts a key with an outcome back to pending, as if it had never been tried.
  static func requeue(
    _ key: Int64, from old: KeyState, owner: Int64, in database: Database, changes: inout Changes
  ) throws {
    try database.cachedStatement(
      sql: """
        UPDATE key SET state = 0, attempts = 0, http_status = NULL, first_attempt_at = NULL, finished_at = NULL,
          due_at = NULL, error_title = NULL, error_detail = NULL, denied_at = NULL, registrar = NULL WHERE id = ?
        """
    ).execute(arguments: [key])
    changes.move(from: old, to: .pending, owner: owner, alsoIn: try otherLists(of: key, in: database))
  }

  static func otherLists(of key: Int64, in database: Database) throws -> [Int64] {
    try Int64.fetchAll(
      try database.cachedStatement(sql: "SELECT list_id FROM also_in WHERE key_id = ?"), arguments: [key])
  }

  private static func list(_ id: Int64, in database: Database) throws -> ListRecord {
    guard
      let row = try Row.fetchOne(
        database, sql: "SELECT \(ListRecord.columns) FROM list WHERE id = ?", arguments: [id])
    else { throw QueueError.defect("list \(id) is not there") }
    return ListRecord(row)
  }
}
