import Foundation
import GRDB
package import Registration

extension RegistrationQueue {
  /// All lists whose source was not yet filed, oldest first.
  package func unfiledLists() throws -> [ListRecord] {
    try read("look for interrupted imports") { database in
      try Row.fetchAll(database, sql: "SELECT \(ListRecord.columns) FROM list WHERE filed_at IS NULL ORDER BY id")
        .map(ListRecord.init)
    }
  }

  /// Adds a list with its first entries. Its name must be free.
  ///
  /// - Parameter isWhole: There are no more entries, so the list is imported when this returns. Most lists are short,
  ///   and cost one commit this way.
  package func beginImport(_ source: ListSource, first batch: ImportBatch, isWhole: Bool) throws -> ListRecord {
    try write("begin an import") { database, changes in
      try Self.begin(source, batch, isWhole: isWhole, in: database, changes: &changes)
    } then: { list, database in
      try Self.list(list, in: database)
    }
  }

  /// Adds whole lists in one transaction, in this order. Their names must be free. With thousands of short lists, a
  /// commit for each costs far more than their keys.
  package func importWhole(_ lists: [(source: ListSource, batch: ImportBatch)]) throws -> [ListRecord] {
    try write("import lists") { database, changes in
      try lists.map { try Self.begin($0.source, $0.batch, isWhole: true, in: database, changes: &changes) }
    } then: { lists, database in
      try lists.map { try Self.list($0, in: database) }
    }
  }

  private static func begin(
    _ source: ListSource, _ batch: ImportBatch, isWhole: Bool, in database: Database, changes: inout Changes
  ) throws -> Int64 {
    try database.cachedStatement(
      sql: """
        INSERT INTO list (name, source, sha256, bytes, format, forced, arrived_at, priority, stop_after)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
        """
    ).execute(arguments: [
      source.name, Data(source.name.utf8), source.sha256, source.bytes, source.format, source.isForced,
      source.arrivedAt.milliseconds, source.terms.priority, source.terms.stopAfter,
    ])
    changes.addedLists += 1
    let list = database.lastInsertedRowID
    try note(source, of: list, in: database, changes: &changes)
    try add(batch, to: list, isLast: isWhole, in: database, changes: &changes)
    return list
  }

  /// Commits the next entries of a list, together with how far it has been read.
  ///
  /// A list that was imported before has grown: it counts as not imported and not filed until its last batch.
  /// - Parameter isLast: There are no more; the list is imported when this returns.
  @discardableResult
  package func importBatch(
    _ batch: ImportBatch, into list: Int64, of source: ListSource, isLast: Bool = false
  ) throws -> ListRecord {
    try write("commit keys of a list") { database, changes in
      try Self.note(source, of: list, in: database, changes: &changes)
      try Self.add(batch, to: list, isLast: isLast, in: database, changes: &changes)
      return list
    } then: { list, database in
      try Self.list(list, in: database)
    }
  }

  /// Notes that no more of a list can be read: its source is gone.
  package func finishImport(_ list: Int64) throws -> ListRecord {
    try write("end an import") { database, changes in
      try Self.add(ImportBatch(), to: list, isLast: true, in: database, changes: &changes)
      return list
    } then: { list, database in
      try Self.list(list, in: database)
    }
  }

  /// Notes what is being read of a list.
  static func note(
    _ source: ListSource, of list: Int64, in database: Database, changes: inout Changes
  ) throws {
    try database.cachedStatement(
      sql: """
        UPDATE list SET sha256 = ?1, bytes = ?2, modified_ns = ?3, format = ?4, csv_column = ?5, unterminated = ?6,
          imported_at = NULL, filed_at = NULL, forgotten_at = NULL,
          duplicate_of = (SELECT name FROM list AS twin
            WHERE twin.sha256 = ?1 AND twin.imported_at IS NOT NULL AND twin.id <> ?7 ORDER BY twin.id LIMIT 1)
        WHERE id = ?7
        """
    ).execute(arguments: [
      source.sha256, source.bytes, source.modified, source.format, source.column, source.isUnterminated, list,
    ])
    changes.listsChanged()
  }

  private static func add(
    _ batch: ImportBatch, to list: Int64, isLast: Bool, in database: Database, changes: inout Changes
  ) throws {
    let record = try Self.list(list, in: database)
    var nothingSeen: RowSet?
    let counts = try insert(batch, into: record, seen: &nothingSeen, in: database, changes: &changes)
    try database.cachedStatement(
      sql: """
        UPDATE list SET entries = entries + ?, accepted = accepted + ?, already_known = already_known + ?,
          duplicate_in_list = duplicate_in_list + ?, invalid = invalid + ?, requeued = requeued + ? WHERE id = ?
        """
    ).execute(arguments: counts.arguments + [list])
    if isLast { try finish(list, in: database, changes: &changes) }
  }

  static func finish(_ list: Int64, in database: Database, changes: inout Changes) throws {
    try database.cachedStatement(sql: "UPDATE list SET imported_at = MAX(?, arrived_at) WHERE id = ?")
      .execute(arguments: [changes.now.milliseconds, list])
    changes.listsChanged()
    // Even a list without new keys may be finished by having been read; one that has grown gets new results.
    changes.look(at: list)
    changes.revise(list)
  }

  /// More rows than fit on any machine.
  private static let largestRow: Int64 = 1 << 60

  /// The batch is inserted in the order of its ids, so that neighbouring keys share pages of the unique index. Row
  /// numbers still follow the lines, since work and outcomes are in the order of the list.
  ///
  /// - Parameter seen: The rows that this reading has already met, if the list is read again from its beginning: a key
  ///   that it brought in an earlier reading is accepted, not a duplicate. If nil, every key of the list that already
  ///   exists is a duplicate.
  static func insert(
    _ batch: ImportBatch, into record: ListRecord, seen: inout RowSet?, in database: Database, changes: inout Changes
  ) throws -> EntryCounts {
    let list = record.id
    var counts = EntryCounts()
    (counts.entries, counts.invalid) = (batch.entries, batch.invalid)
    let insert = try HotStatement(
      """
      INSERT INTO key (id, uuid, list_id, state, finished_at, recorded) VALUES (?, ?, ?, ?, ?, ?)
      ON CONFLICT (uuid) DO NOTHING
      """, in: database)
    let find = try HotStatement("SELECT id, state, list_id FROM key WHERE uuid = ?", in: database)
    let share = try database.cachedStatement(
      sql: "INSERT INTO also_in (key_id, list_id) VALUES (?, ?) ON CONFLICT DO NOTHING")
    let state: KeyState = record.cancelledAt == nil ? .pending : .cancelled
    let last = try Int64.fetchOne(try database.cachedStatement(sql: "SELECT MAX(id) FROM key")) ?? 0
    guard last < largestRow else { throw QueueError.damaged("a key has the row \(last)") }
    let first = last + 1
    // By their numbers: comparing ids would be a call each time.
    let inOrder = batch.keys.enumerated().sorted {
      ($0.element.high, $0.element.low, $0.offset) < ($1.element.high, $1.element.low, $1.offset)
    }
    for (offset, key) in inOrder {
      try insert.bind(1, first + Int64(offset))
      try insert.bind(2, key)
      try insert.bind(3, list)
      try insert.bind(4, state.rawValue)
      try insert.bind(5, state.isFinal ? changes.now.milliseconds : nil)
      try insert.bind(6, state.isFinal ? changes.nextOutcomeNumber(at: changes.now) : nil)
      try insert.execute()
      if database.changesCount > 0 {
        counts.accepted += 1
        _ = seen?.insert(first + Int64(offset))
        changes.add(state, ownedBy: list)
        continue
      }
      let (id, old, owner) = try known(key, by: find)
      // Without a set of rows, every row has been met before.
      let isFirst = seen?.insert(id) ?? false
      if owner == list {
        if isFirst { counts.accepted += 1 } else { counts.duplicateInList += 1 }
        continue
      }
      try share.execute(arguments: [id, list])
      guard database.changesCount > 0 else {
        if isFirst { counts.alreadyKnown += 1 } else { counts.duplicateInList += 1 }
        continue
      }
      counts.alreadyKnown += 1
      changes.share(old, with: list)
      let isWanted = old == .failed || old == .cancelled || (old == .registered && record.isForced)
      if isWanted, state == .pending {
        try Self.requeue(id, from: old, owner: owner, in: database, changes: &changes)
        counts.requeued += 1
      }
    }
    return counts
  }

  private static func known(
    _ key: AppKeyID, by find: HotStatement
  ) throws -> (row: Int64, state: KeyState, owner: Int64) {
    defer { find.reset() }
    try find.bind(1, key)
    guard try find.next(), let state = KeyState(rawValue: Int(try find.requiredInteger(1))) else {
      throw QueueError.damaged("a key that could not be inserted is not there")
    }
    return (try find.requiredInteger(0), state, try find.requiredInteger(2))
  }

  /// Notes that the source of a list is in its final place, with its receipt.
  package func noteFiled(_ list: Int64, at now: Timestamp) throws {
    _ = try noteFiled([(list, now)])
  }

  /// The same for several lists. Returns them as they are now.
  package func noteFiled(_ lists: [(id: Int64, at: Timestamp)]) throws -> [ListRecord] {
    try write("note filed lists") { database, _ in
      for list in lists {
        try database.cachedStatement(sql: "UPDATE list SET filed_at = ? WHERE id = ?")
          .execute(arguments: [list.at.milliseconds, list.id])
      }
    } then: { _, database in
      try lists.map { try Self.list($0.id, in: database) }
    }
  }

  /// Notes that the source of a filed list was checked and has the same bytes, perhaps with another modification time.
  package func noteUnchanged(_ list: Int64, modified: Int64, at now: Timestamp) throws {
    try write("note a list that was looked at") { database, _ in
      try database.execute(
        sql: "UPDATE list SET modified_ns = ?, filed_at = ? WHERE id = ? AND filed_at IS NOT NULL",
        arguments: [modified, now.milliseconds, list])
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
    changes.move(from: old, to: .pending, owner: owner, alsoIn: try OtherLists(in: database).of(key))
  }

  static func list(_ id: Int64, in database: Database) throws -> ListRecord {
    guard
      let row = try Row.fetchOne(
        try database.cachedStatement(sql: "SELECT \(ListRecord.columns) FROM list WHERE id = ?"), arguments: [id])
    else { throw QueueError.damaged("list \(id) is not there") }
    return ListRecord(row)
  }
}
