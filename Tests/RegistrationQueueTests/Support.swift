import Foundation
import GRDB
import Registration
import Synchronization
import Testing

@testable import RegistrationQueue

/// A queue in a folder of its own, deleted with it.
final class TemporaryQueue {
  let folder: URL
  private(set) var queue: RegistrationQueue

  let clock: TestClock

  init(clock: TestClock = TestClock()) throws {
    self.clock = clock
    folder = FileManager.default.temporaryDirectory.appending(path: "keyreg-queue-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    queue = try RegistrationQueue(path: folder.appending(path: "queue.sqlite").path, readClock: clock.read)
  }

  deinit {
    // Nothing is lost when a temporary folder stays behind.
    try? FileManager.default.removeItem(at: folder)
  }

  /// Closes the queue and opens it again, as a restart does.
  func reopen(closing: Bool = true) throws {
    if closing { try queue.close() }
    queue = try RegistrationQueue(path: folder.appending(path: "queue.sqlite").path, readClock: clock.read)
  }

  /// Imports keys as one list.
  @discardableResult
  func add(_ keys: [AppKeyID], as name: String, isForced: Bool = false) throws -> ListRecord {
    try queue.importBatch(batch(keys), into: begin(name, isForced: isForced).id, of: source(name), isLast: true)
  }

  func begin(_ name: String, isForced: Bool = false) throws -> ListRecord {
    try queue.beginImport(source(name, isForced: isForced), first: ImportBatch(), isWhole: false)
  }

  func source(_ name: String, sha256: String? = nil, isForced: Bool = false) -> ListSource {
    ListSource(
      name: name, sha256: sha256 ?? name, bytes: 1, modified: 1, format: "text", isForced: isForced,
      arrivedAt: clock.wall)
  }

  func batch(_ keys: [AppKeyID], invalid: Int = 0) -> ImportBatch {
    var batch = ImportBatch()
    batch.keys = keys
    batch.invalid = invalid
    return batch
  }

  func due(_ limit: Int = 1_000, except taken: Set<Int64> = []) throws -> [DueKey] {
    try queue.dueKeys(limit: limit, except: taken, horizon: 1_000)
  }

  func record(
    _ key: DueKey, _ decision: KeyResult.Decision, status: Int? = nil, title: String? = nil, sentAt: Timestamp? = nil
  ) throws {
    let now = clock.wall
    try queue.record([
      KeyResult(
        row: key.row, decision: decision, httpStatus: status, errorTitle: title, sentAt: sentAt ?? now, at: now)
    ])
  }

  /// What counting again would give: by state, and by list and state.
  func recount() throws -> (tally: [Int: Int], lists: [String: [Int: Int]]) {
    try queue.pool.read { database in
      var tally: [Int: Int] = [:]
      for row in try Row.fetchAll(database, sql: "SELECT state, COUNT(*) FROM key GROUP BY state") {
        tally[row[0]] = row[1]
      }
      var lists: [String: [Int: Int]] = [:]
      let rows = try Row.fetchAll(
        database,
        sql: """
          SELECT list.name, key.state, COUNT(*) FROM list JOIN key
            ON key.list_id = list.id OR key.id IN (SELECT key_id FROM also_in WHERE list_id = list.id)
          GROUP BY 1, 2
          """)
      for row in rows { lists[row[0], default: [:]][row[1]] = row[2] }
      return (tally, lists)
    }
  }
}

/// `count` ids derived from a number.
func keys(_ count: Int, from start: UInt64 = 0) -> [AppKeyID] {
  (0..<count).map { AppKeyID(high: 0x9e37_79b9_7f4a_7c15 &* (start + UInt64($0) + 1), low: start + UInt64($0)) }
}

/// Clocks that stand still until they are set.
final class TestClock: Sendable {
  private let reading = Mutex(ClockReading(boot: "first", sinceBoot: 5_000_000, wall: .now()))

  var read: @Sendable () -> ClockReading { { @Sendable [self] in reading.withLock { $0 } } }
  var wall: Timestamp { read().wall }

  /// Time passes.
  func advance(seconds: Double) {
    reading.withLock { reading in
      reading.sinceBoot += Int64(seconds * 1_000)
      reading.wall = reading.wall.adding(seconds: seconds)
    }
  }

  /// Somebody sets the wall clock.
  func set(by seconds: Double) {
    reading.withLock { $0.wall = $0.wall.adding(seconds: seconds) }
  }

  /// The machine restarts after a time that only the wall clock has counted.
  func boot(_ name: String, after seconds: Double) {
    reading.withLock { reading in
      reading = ClockReading(boot: name, sinceBoot: 10_000, wall: reading.wall.adding(seconds: seconds))
    }
  }
}

/// A queue's three files, copied while it was open, as a kill leaves them.
struct QueueFiles {
  let folder: URL
  var database: URL { folder.appending(path: "queue.sqlite") }
  var log: URL { folder.appending(path: "queue.sqlite-wal") }
  var mark: URL { folder.appending(path: "queue.sqlite.mark") }

  /// Refused with this text, and nothing was changed.
  func expectRefused(
    _ kind: QueueError.Kind, _ words: String = "queue", sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    let before = try contents()
    #expect(sourceLocation: sourceLocation) {
      try RegistrationQueue(path: database.path)
    } throws: { error in
      let error = try #require(error as? QueueError)
      return error.kind == kind && error.description.contains(words) && error.hint != nil
    }
    #expect(try contents() == before, sourceLocation: sourceLocation)
  }

  private func contents() throws -> [URL: Data] {
    var contents: [URL: Data] = [:]
    for file in [database, log, mark] where FileManager.default.fileExists(atPath: file.path) {
      contents[file] = try Data(contentsOf: file)
    }
    return contents
  }

  /// Restores the old files, with another log.
  func restore(from other: QueueFiles, log bytes: Data) throws {
    try Data(contentsOf: other.database).write(to: database)
    try Data(contentsOf: other.mark).write(to: mark)
    try bytes.write(to: log)
    // The index of the log disappears with the process that made it.
    try? FileManager.default.removeItem(atPath: database.path + "-shm")
  }

  /// Another folder beside this one, empty.
  func sibling() throws -> QueueFiles {
    let other = folder.deletingLastPathComponent().appending(path: "copy-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: other, withIntermediateDirectories: true)
    return QueueFiles(folder: other)
  }
}

extension TemporaryQueue {
  /// The database file as it is now.
  func bytes() throws -> Data { try Data(contentsOf: folder.appending(path: "queue.sqlite")) }

  /// What a kill would leave now.
  func copy() throws -> QueueFiles {
    let files = QueueFiles(folder: folder.appending(path: "copy-\(UUID().uuidString)"))
    try FileManager.default.createDirectory(at: files.folder, withIntermediateDirectories: true)
    for suffix in ["", "-wal", ".mark"] {
      let name = "queue.sqlite" + suffix
      let source = folder.appending(path: name)
      guard FileManager.default.fileExists(atPath: source.path) else { continue }
      try Data(contentsOf: source).write(to: files.folder.appending(path: name))
    }
    return files
  }
}

extension RegistrationQueue {
  /// Ends as the daemon does, and leaves the files for whoever opens them next.
  func close() throws {
    try finish()
    try pool.close()
  }
}

/// The evidence of a spool with receipts of these lists.
func receipts(of names: String...) -> (KnownLists) throws -> SpoolEvidence? {
  { known in
    let unknown = try names.filter { try known.entry(of: $0) == .unknown }
    return unknown.first.map { SpoolEvidence(folder: "done", what: "receipts", lists: unknown.count, first: $0) }
  }
}
