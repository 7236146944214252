import Foundation
import GRDB
import Registration
import Testing

@testable import RegistrationQueue

/// The check compares every index with its table: one that lost an entry hides a key or a list from what reads by it.
@Suite struct IndexRotTests {
  @Test func aChangedEntryOfAnyIndexIsFound() throws {
    let temporary = try Self.queue()
    try temporary.queue.close()
    let files = try temporary.copy()
    let whole = try Data(contentsOf: files.database)
    let indexes = try Self.leaves(of: files)
    #expect(Set(["key_pending", "key_recorded", "list_by_priority", "also_in_by_list"]).isSubset(of: indexes.keys))
    for (index, page) in indexes.sorted(by: { $0.key < $1.key }) {
      let place = try #require(Self.lastByteOfAnEntry(page, in: whole), "\(index) is empty")
      var damaged = whole
      // The row's number, or a byte of a text.
      damaged[place] ^= 0x10
      let copies = try (0..<2).map { _ in
        let copy = try files.sibling()
        try damaged.write(to: copy.database)
        try Data(contentsOf: files.mark).write(to: copy.mark)
        return copy
      }
      defer { for copy in copies { try? FileManager.default.removeItem(at: copy.folder) } }
      let ending = Result { try QueueCheck(RegistrationQueue(path: copies[0].database.path)).run() }
      switch ending {
      case .success(.damaged), .failure(is QueueError): break
      default: Issue.record("\(index): \(ending)")
      }
      // No backup is made of it either: nobody wants to learn of the damage when the backup is needed.
      let backup = copies[1].folder.appending(path: "backup").path
      #expect(throws: QueueError.self, "\(index)") {
        try RegistrationQueue(path: copies[1].database.path).backup(to: backup)
      }
      #expect(!FileManager.default.fileExists(atPath: backup), "\(index)")
    }
  }

  /// One entry at least in each index.
  private static func queue() throws -> TemporaryQueue {
    let temporary = try TemporaryQueue()
    try temporary.add(keys(40), as: "a")
    try temporary.add(keys(10) + keys(10, from: 1_000), as: "b")
    try temporary.add(keys(1, from: 2_000), as: "finished")
    let now = temporary.clock.wall
    let decisions: [KeyResult.Decision] = [.registered, .failed, .retry(due: now.adding(seconds: 60))]
    for key in try temporary.due() where key.row > 50 || key.row % 2 == 0 {
      let decision = key.row > 50 ? .registered : decisions[Int(key.row) % 3]
      try temporary.record(key, decision, status: 201)
    }
    return temporary
  }

  /// One leaf page of each index, by the index's name. Those that SQLite makes for itself are included.
  private static func leaves(of files: QueueFiles) throws -> [String: Int] {
    let copy = try files.sibling()
    defer { try? FileManager.default.removeItem(at: copy.folder) }
    try FileManager.default.copyItem(at: files.database, to: copy.database)
    return try DatabaseQueue(path: copy.database.path).read { database in
      let rows = try Row.fetchAll(
        database,
        sql: """
          SELECT name, MIN(pageno) FROM dbstat JOIN sqlite_schema USING (name)
          WHERE type = 'index' AND pagetype = 'leaf' AND ncell > 0 GROUP BY name
          """)
      return Dictionary(uniqueKeysWithValues: rows.map { ($0[0], $0[1]) })
    }
  }

  /// Where the first entry of a leaf of an index ends (the file format of SQLite, section 1.6).
  private static func lastByteOfAnEntry(_ page: Int, in file: Data) -> Int? {
    let start = (page - 1) * 4_096
    let cells = Int(file[start + 3]) << 8 | Int(file[start + 4])
    guard file[start] == 10, cells > 0 else { return nil }
    let cell = start + (Int(file[start + 8]) << 8 | Int(file[start + 9]))
    // Entries here are shorter than 128 bytes, so their length is one byte.
    return cell + Int(file[cell])
  }
}
