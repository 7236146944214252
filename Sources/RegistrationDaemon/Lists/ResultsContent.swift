import KeyList
import Registration
import RegistrationQueue
import Spool

/// What goes into the results of one list. In constant memory but for one bit a key.
///
/// With `spool.keep_columns`, the other columns of a CSV list are read again from the list, which is where it was filed:
/// the results are then in the order of its lines. A key that is on several lines has the fields of the first one. Keys
/// that are not found in the list any more come last, with empty fields.
struct ResultsContent {
  private static let pageSize = 1_000

  let queue: RegistrationQueue
  let spool: SpoolDirectory
  let list: ListRecord
  /// Maximum columns that are kept.
  let keptColumns: Int
  /// Called after each page; what it throws ends the writing.
  let pageWritten: () throws -> Void

  private var name: ListName { ListName(stored: list.name) }

  /// Writes everything to a new file that has no name yet.
  func write() throws -> ResultsFile {
    guard keptColumns > 0, let records = try openRecords() else {
      let file = try spool.results(for: name)
      try eachPage { page in for outcome in page { try file.append(outcome) } }
      return file
    }
    return try write(records)
  }

  /// Nil when the list is not CSV, or no longer there.
  private func openRecords() throws -> KeyListRecords? {
    guard list.format == "csv" else { return nil }
    // In the order in which it moves, so that it cannot be missed in between.
    for place in [SpoolDirectory.Subfolder.reading, .done] {
      do {
        return try KeyListRecords(
          try spool.open(name.fileName, in: place, maximumSize: .max).reader(), most: keptColumns)
      } catch let error as SpoolError where error.kind == .missing || error.kind == .notRegular {}
    }
    return nil
  }

  private func write(_ records: KeyListRecords) throws -> ResultsFile {
    let file = try spool.results(for: name, columns: records.columns)
    var records = records
    var written = RowSet()
    var count = 0
    while true {
      let page = try Self.page(of: &records)
      if page.isEmpty { break }
      let known = try queue.outcomes(of: page.map(\.id), in: list)
      for (id, fields) in page {
        guard let (row, outcome) = known[id], written.insert(row) else { continue }
        try file.append(outcome, fields)
        count += 1
      }
      try pageWritten()
    }
    // Somebody may have changed the list since it was read.
    guard count < list.keys.total else { return file }
    let empty = records.columns.map { _ in "" }
    try eachPage { page in
      let known = try queue.outcomes(of: page.map(\.id), in: list)
      for outcome in page {
        if let (row, _) = known[outcome.id], written.insert(row) { try file.append(outcome, empty) }
      }
    }
    return file
  }

  private static func page(of records: inout KeyListRecords) throws -> [(id: AppKeyID, fields: [String])] {
    var page: [(id: AppKeyID, fields: [String])] = []
    while page.count < pageSize {
      do {
        guard let record = try records.next() else { break }
        page.append(record)
      } catch {
        if case .unreadable = error.kind { throw error }
        // Bytes that are not text ended the list's import, too.
        break
      }
    }
    return page
  }

  private func eachPage(_ body: ([Outcome]) throws -> Void) throws {
    var cursor: Int64? = 0
    while let from = cursor {
      let page = try queue.outcomes(list: list, after: from, limit: Self.pageSize)
      try body(page.rows)
      try pageWritten()
      cursor = page.next
    }
  }
}
