import GRDB
import Registration

/// A list that is read again from its beginning, because what was read of it before has changed: its counts are replaced
/// at the end and not added to.
///
/// Which rows this reading has met is kept in memory: a kill in between means that it begins anew.
package struct Rereading: Sendable {
  package let list: Int64
  package fileprivate(set) var counts = EntryCounts()
  fileprivate var seen: RowSet? = RowSet()

  package init(of list: Int64) {
    self.list = list
  }
}

extension RegistrationQueue {
  /// Commits the next keys of a list that is read again. Its counts stay as they are until the end.
  package func importBatch(_ batch: ImportBatch, of rereading: inout Rereading) throws {
    let list = rereading.list
    var seen = rereading.seen
    let counts = try write("commit keys of a list") { database, changes in
      try Self.insert(batch, into: Self.list(list, in: database), seen: &seen, in: database, changes: &changes)
    }
    rereading.seen = seen
    rereading.counts += counts
  }

  /// Replaces the counts of a list with those of this reading, and opens its results again.
  package func finish(_ rereading: Rereading, of source: ListSource) throws -> ListRecord {
    let list = rereading.list
    return try write("end a reading") { database, changes in
      try Self.note(source, of: list, in: database, changes: &changes)
      try database.execute(
        sql: """
          UPDATE list SET entries = ?, accepted = ?, already_known = ?, duplicate_in_list = ?, invalid = ?, requeued = ?
          WHERE id = ?
          """, arguments: rereading.counts.arguments + [list])
      try Self.finish(list, in: database, changes: &changes)
      return list
    } then: { list, database in
      try Self.list(list, in: database)
    }
  }
}
