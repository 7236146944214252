import GRDB
import Registration

/// A list that is read again from its beginning, because the part that was read before has changed. Its counts are
/// replaced at the end, not added to.
///
/// The rows that this reading has met are kept in memory: after a kill it starts over.
package struct Rereading: Sendable {
  package let list: Int64
  package fileprivate(set) var counts = EntryCounts()
  fileprivate var seen: RowSet? = RowSet()

  package init(of list: Int64) {
    self.list = list
  }
}

extension RegistrationQueue {
  /// Commits the next keys of a list that is read again. Its counts do not change until the end.
  package func importBatch(_ batch: ImportBatch, of rereading: inout Rereading) throws {
    let list = rereading.list
    var seen = rereading.seen
    let counts = try write("commit keys of a list") { database, changes in
      try Self.insert(batch, into: Self.list(list, in: database), seen: &seen, in: database, changes: &changes)
    }
    rereading.seen = seen
    rereading.counts += counts
  }

  /// Replaces the counts of a list with those of this reading, and makes its results due again.
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
