import Foundation
import Glibc
import Registration

@testable import RegistrationQueue

/// A damaged database: bytes of a good one are replaced, and then it is opened, read, written to and checked as the daemon does
/// it. Whatever the damage, each of these ends or throws a `QueueError`.
///
/// The input is a sequence of changes, each of four bytes: place (two, and in the first of them the top bit chooses the log),
/// the value, and how often it is repeated.
func fuzzQueue(_ bytes: [UInt8]) {
  var (database, log) = (template.database, template.log)
  for change in stride(from: 0, to: bytes.count - 3, by: 4) {
    let word = Int(bytes[change]) << 8 | Int(bytes[change + 1])
    let isLog = word & 0x8000 != 0
    for place in 0...Int(bytes[change + 3] & 7) {
      // Every byte of a file can be reached, its first pages with more inputs than the rest.
      if isLog {
        log[((word & 0x7fff) * 2 + place) % log.count] = bytes[change + 2]
      } else {
        database[((word & 0x7fff) * 4 + place) % database.count] = bytes[change + 2]
      }
    }
  }
  let path = template.folder + "/queue.sqlite"
  for name in ["queue.sqlite", "queue.sqlite-wal", "queue.sqlite-shm", "queue.sqlite.mark"] {
    unlink("\(template.folder)/\(name)")
  }
  write(database, path)
  if (bytes.first ?? 0) & 1 == 0 { write(log, path + "-wal") }
  do {
    let queue = try RegistrationQueue(path: path)
    defer { try? queue.pool.close() }
    for step in steps {
      do {
        try step(queue)
      } catch {
        require(error is QueueError, "another error than a QueueError: \(error)")
      }
    }
  } catch {
    require(error is QueueError, "another error than a QueueError: \(error)")
  }
}

private let steps: [@Sendable (RegistrationQueue) throws -> Void] = [
  { _ = try $0.unfiledLists() },
  { _ = try $0.dueKeys(limit: 100, except: [], horizon: 1_000) },
  { _ = try $0.sampleKeys(limit: 10, except: []) },
  { _ = try $0.secondsUntilDue() },
  { _ = try $0.outcomes(limit: 1_000) },
  {
    for list in try $0.lists(newest: 100) {
      _ = try $0.outcomes(list: list, state: .failed, error: "found", limit: 100)
    }
  },
  { _ = try $0.oldestOpenArrival() },
  { _ = try $0.openKeysAhead() },
  { _ = try $0.list(named: "a") },
  { _ = try $0.listsWithoutResults() },
  { _ = try $0.rejectedLists(limit: 10) },
  { for key in template.keys { _ = try $0.key(key) } },
  { _ = try $0.registeredKey(within: 1e9, by: $0.registrar(tag: [1, 2, 3])) },
  { let _: [String: Int]? = try $0.recall([String: Int].self, named: "pause") },
  {
    let results = try $0.dueKeys(limit: 3, except: [], horizon: 1e9).map {
      KeyResult(row: $0.row, decision: .registered, httpStatus: 201, sentAt: .now(), at: .now())
    }
    try $0.record(results)
  },
  {
    var batch = ImportBatch()
    batch.keys = template.keys + [AppKeyID(high: 77, low: 77)]
    let source = ListSource(
      name: "new", sha256: "new", bytes: 1, modified: 1, format: "text", isForced: true, arrivedAt: .now())
    let list = try $0.beginImport(source, first: ImportBatch(), isWhole: false)
    _ = try $0.importBatch(batch, into: list.id, of: source, isLast: true)
    try $0.noteFiled(list.id, at: .now())
  },
  { _ = try $0.retry(RetrySelection()) },
  { if let list = try $0.list(named: "b") { _ = try $0.cancel(list.id, at: .now()) } },
  { try $0.finishCancels(at: .now()) },
  { _ = try QueueCheck($0).run() },
  { try $0.checkpoint() },
  { try $0.finish() },
]

/// A queue with keys in every state, in two lists that share some, and with a log.
private struct Template {
  let folder: String
  let database: [UInt8]
  let log: [UInt8]
  let keys: [AppKeyID]

  init() throws {
    // In memory: there are tens of files an input.
    folder = "/dev/shm/keyreg-fuzz-\(getpid())"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    let path = folder + "/queue.sqlite"
    let keys = (0..<60).map { AppKeyID(high: 0x9e37_79b9_7f4a_7c15 &* ($0 + 1), low: $0) }
    let queue = try RegistrationQueue(path: path)
    func add(_ keys: [AppKeyID], as name: String) throws {
      var batch = ImportBatch()
      batch.keys = keys
      batch.invalid = 1
      let source = ListSource(
        name: name, sha256: name, bytes: 1, modified: 1, format: "text", isForced: false, arrivedAt: .now())
      let list = try queue.beginImport(source, first: ImportBatch(), isWhole: false)
      _ = try queue.importBatch(batch, into: list.id, of: source, isLast: true)
    }
    try add(Array(keys[..<50]), as: "a")
    try add(Array(keys[40...]), as: "b")
    try queue.noteRejected(
      RejectedList(name: "r", bytes: 1, modified: 1, what: "no key", line: 1, hint: "mend it", at: .now()))
    try queue.remember(["since": 1], named: "pause")
    let decisions: [KeyResult.Decision] = [.registered, .failed, .retry(due: Timestamp.now().adding(seconds: 60))]
    let due = try queue.dueKeys(limit: 30, except: [], horizon: 1_000)
    func result(_ key: DueKey, _ number: Int) -> KeyResult {
      KeyResult(
        row: key.row, decision: decisions[number % 3], httpStatus: 404, errorTitle: "Not Found",
        errorDetail: "app key not found",
        sentAt: .now(), at: .now())
    }
    try queue.record(due.prefix(20).enumerated().map { result($1, $0) })
    try queue.checkpoint()
    try queue.record(due.dropFirst(20).enumerated().map { result($1, $0) })
    database = try [UInt8](Data(contentsOf: URL(filePath: path)))
    log = try [UInt8](Data(contentsOf: URL(filePath: path + "-wal")))
    self.keys = [keys[0], keys[1], keys[2], keys[45]]
    try queue.pool.close()
  }
}

private let template: Template = {
  do {
    atexit {
      // What a crash leaves is in memory, and gone with the next start of the machine.
      try? FileManager.default.removeItem(atPath: template.folder)
    }
    return try Template()
  } catch {
    fatalError("\(error)")
  }
}()

private func write(_ bytes: [UInt8], _ path: String) {
  let file = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
  require(Glibc.write(file, bytes, bytes.count) == bytes.count, "\(path) could not be written")
  close(file)
}
