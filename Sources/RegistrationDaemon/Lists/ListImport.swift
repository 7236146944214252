import Registration
import RegistrationQueue
import Spool

/// One list on its way from `incoming/` into the queue.
///
/// Every step can be done again after a kill: entries that are committed are skipped, a list that is wholly committed is
/// only filed, and a file is moved only after its last key is committed.
struct ListImport {
  enum Ending {
    case imported(Receipt)
    case rejected(ListName, Rejection)
    /// It is not there any more, or something else has its name: nothing to do now.
    case gone
    /// Somebody wrote to it meanwhile: it is read again when it has settled.
    case changed
    /// The daemon stops; the next start goes on.
    case interrupted
  }

  /// Entries in one transaction.
  private static let batchSize = 5_000

  let queue: RegistrationQueue
  let spool: SpoolDirectory
  let maxFileSize: Int
  let isInterrupted: () -> Bool
  /// Called after each commit, so that work begins before a long list is read to its end.
  let committed: () -> Void

  func run(_ name: FileName) throws -> Ending {
    let file: SpoolFile
    do {
      file = try spool.open(name, maximumSize: Int64(maxFileSize))
    } catch {
      switch error.kind {
      case .tooLarge: return try reject(name, Rejection(error))
      case .missing, .notRegular: return .gone
      default: throw error
      }
    }
    do {
      return try read(file)
    } catch let error as KeyListError {
      if case .unreadable = error.kind { throw error }
      return try reject(file, Rejection(error))
    }
  }

  /// Ends a list whose source is not what it was: its keys are kept, and the file is somebody else's.
  func close(_ list: ListRecord) throws {
    if list.isEmpty {
      try queue.abandonImport(list.id)
    } else {
      if list.importedAt == nil { _ = try queue.finishImport(list.id, at: .now()) }
      try queue.noteFiled(list.id, at: .now())
      committed()
    }
  }

  private func read(_ file: SpoolFile) throws -> Ending {
    let sha256 = try file.sha256()
    var list = try interrupted(file, sha256: sha256) ?? begin(file, sha256: sha256)
    if list.importedAt == nil {
      guard let read = try readEntries(of: list, from: file) else { return .interrupted }
      if read.isEmpty {
        let lines = try queue.rejectedLines(of: list.id)
        let rejection = Rejection.noValidKey(
          firstInvalid: lines.first.map { InvalidLine(line: $0.line, text: $0.text, reason: $0.reason) },
          invalidCount: read.invalid)
        let ending = try reject(file, rejection)
        try queue.abandonImport(list.id)
        return ending
      }
      guard try file.isUnchanged() else {
        try close(read)
        return .changed
      }
      list = try queue.finishImport(list.id, at: .now())
      committed()
    }
    return .imported(try shelve(list, file))
  }

  /// The list that an interrupted import of these very bytes has left.
  private func interrupted(_ file: SpoolFile, sha256: String) throws -> ListRecord? {
    guard let old = try queue.unfiledList(file: file.name.bytes) else { return nil }
    if old.sha256 == sha256 { return old }
    try close(old)
    return nil
  }

  private func begin(_ file: SpoolFile, sha256: String) throws -> ListRecord {
    var entries = ListEntries(file.reader())
    // Throws here when the list is no list at all, before anything is entered.
    _ = try entries.next()
    let source = ListSource(
      file: file.name.bytes, sha256: sha256, bytes: Int(file.size), format: entries.format?.name ?? "text",
      isForced: try spool.isForced(file), arrivedAt: .now())
    let name = try spool.freeName(for: ListName(of: file.name)) { try queue.list(named: $0.text) != nil }
    return try queue.beginImport(source, names: [name.text])
  }

  /// Commits what is not committed yet. Nil when the daemon stops.
  private func readEntries(of list: ListRecord, from file: SpoolFile) throws -> ListRecord? {
    var list = list
    var entries = ListEntries(file.reader())
    for _ in 0..<list.entries { _ = try entries.next() }
    var batch = ImportBatch()
    while let entry = try entries.next() {
      switch entry {
      case .key(let id, _): batch.keys.append(id)
      case .invalid(let line):
        batch.invalid += 1
        if list.invalid + batch.invalid <= Receipt.invalidLimit {
          batch.rejected.append(RejectedLine(line: line.line, text: line.text, reason: line.reason))
        }
      }
      guard batch.entries == Self.batchSize else { continue }
      list = try queue.importBatch(batch, into: list.id)
      batch = ImportBatch()
      committed()
      if isInterrupted() { return nil }
    }
    return batch.entries > 0 ? try queue.importBatch(batch, into: list.id) : list
  }

  /// Writes the receipt, moves the file, and notes it.
  private func shelve(_ list: ListRecord, _ file: SpoolFile) throws -> Receipt {
    let lines = try queue.rejectedLines(of: list.id)
    let receipt = Receipt(list, invalid: lines)
    try spool.accept(file, as: try ListName(list.name), receipt: receipt)
    try queue.noteFiled(list.id, at: .now())
    try spool.clearForce(file)
    return receipt
  }

  private func reject(_ file: SpoolFile, _ rejection: Rejection) throws -> Ending {
    let ending = try reject(file.name, identity: file.status.identity, rejection)
    try spool.clearForce(file)
    return ending
  }

  private func reject(
    _ file: FileName, identity: FileStatus.Identity? = nil, _ rejection: Rejection
  ) throws -> Ending {
    let name = try spool.freeName(for: ListName(of: file)) { try queue.list(named: $0.text) != nil }
    try spool.reject(file, identity: identity, as: name, rejection)
    return .rejected(name, rejection)
  }
}

extension ListRecord {
  /// No line of it was a key.
  var isEmpty: Bool { accepted + alreadyKnown + duplicateInList == 0 }
}

extension Receipt {
  init(_ list: ListRecord, invalid: [RejectedLine]) {
    self.init(
      list: list.name, id: list.id, sha256: list.sha256, bytes: Int64(list.bytes),
      importedAt: list.importedAt ?? list.arrivedAt,
      keys: Keys(
        accepted: list.accepted, alreadyKnown: list.alreadyKnown, duplicateInList: list.duplicateInList,
        invalid: list.invalid, requeued: list.requeued),
      invalid: invalid.map { InvalidLine(line: $0.line, text: $0.text, reason: $0.reason) },
      duplicateOf: list.duplicateOf, format: list.format)
  }
}
