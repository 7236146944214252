import KeyList
import Logging
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

  /// Entries in one transaction: outcomes wait for the writer no longer than this takes.
  private static let batchSize = 2_000

  let queue: RegistrationQueue
  let spool: SpoolDirectory
  let maxFileSize: Int
  let log: Logger
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

  /// Ends a list whose source is not what it was: its keys are kept, with a receipt that counts them, and the file is
  /// somebody else's.
  func close(_ list: ListRecord) throws {
    guard !list.isEmpty else { return try queue.abandonImport(list.id) }
    var list = list
    if list.importedAt == nil {
      list = try queue.finishImport(list.id)
      log.warning(
        "a list went away or changed before it was read to its end; what was read of it is kept",
        metadata: ["list": "\(list.name)", "accepted": "\(list.accepted)"])
    }
    try spool.store(
      Receipt(list, invalid: try queue.rejectedLines(of: list.id)), as: ListName(stored: list.name))
    try queue.noteFiled(list.id, at: .now())
    committed()
  }

  private func read(_ file: SpoolFile) throws -> Ending {
    let sha256 = try file.sha256()
    var entries = ListEntries(file.reader())
    var list = try interrupted(file, sha256: sha256)
    if let list { for _ in 0..<list.entries { _ = try entries.next() } }
    while list?.importedAt == nil {
      let (batch, isLast) = try nextBatch(of: &entries, invalidBefore: list?.invalid ?? 0)
      let isEmpty = list.map(\.isEmpty) ?? true
      if isLast, batch.keys.isEmpty, isEmpty { return try reject(file, list, last: batch) }
      if isLast, try !file.isUnchanged() {
        // What was committed stays; the next reading finds those keys known.
        if let list { try close(list) }
        return .changed
      }
      if let known = list {
        list = try queue.importBatch(batch, into: known.id, isLast: isLast)
      } else {
        list = try begin(file, sha256: sha256, format: entries.format, first: batch, isWhole: isLast)
      }
      committed()
      if !isLast, isInterrupted() { return .interrupted }
    }
    guard let list else { return .gone }
    return .imported(try shelve(list, file))
  }

  /// The list that an interrupted import of these very bytes has left.
  private func interrupted(_ file: SpoolFile, sha256: String) throws -> ListRecord? {
    guard let old = try queue.unfiledList(file: file.name.bytes) else { return nil }
    if old.sha256 == sha256 { return old }
    try close(old)
    return nil
  }

  private func begin(
    _ file: SpoolFile, sha256: String, format: KeyListFormat?, first: ImportBatch, isWhole: Bool
  ) throws -> ListRecord {
    let source = ListSource(
      file: file.name.bytes, sha256: sha256, bytes: Int(file.size), format: format?.name ?? "text",
      isForced: try spool.isForced(file), arrivedAt: .now())
    let known = try queue.listCount(file: file.name.bytes)
    let name = try spool.freeName(for: ListName(of: file.name), from: known + 1) {
      try queue.list(named: $0.text) != nil
    }
    return try queue.beginImport(source, names: [name.text], first: first, isWhole: isWhole)
  }

  /// The next entries, and whether they are the last.
  private func nextBatch(
    of entries: inout ListEntries, invalidBefore: Int
  ) throws -> (batch: ImportBatch, isLast: Bool) {
    var batch = ImportBatch()
    while batch.entries < Self.batchSize {
      switch try entries.next() {
      case .key(let id, _): batch.keys.append(id)
      case .invalid(let line):
        batch.invalid += 1
        if invalidBefore + batch.invalid <= Receipt.invalidLimit {
          batch.rejected.append(RejectedLine(line: line.line, text: line.text, reason: line.reason))
        }
      case nil: return (batch, true)
      }
    }
    return (batch, false)
  }

  /// Writes the receipt, moves the file, and notes it.
  private func shelve(_ list: ListRecord, _ file: SpoolFile) throws -> Receipt {
    let lines = try queue.rejectedLines(of: list.id)
    let receipt = Receipt(list, invalid: lines)
    try spool.accept(file, as: ListName(stored: list.name), receipt: receipt)
    try queue.noteFiled(list.id, at: .now())
    try spool.clearForce(file)
    return receipt
  }

  /// Rejects a list without a key, and forgets it if a part of it has been entered.
  private func reject(_ file: SpoolFile, _ list: ListRecord?, last batch: ImportBatch) throws -> Ending {
    let first = try list.flatMap { try queue.rejectedLines(of: $0.id).first } ?? batch.rejected.first
    let rejection = Rejection.noValidKey(
      firstInvalid: first.map { InvalidLine(line: $0.line, text: $0.text, reason: $0.reason) },
      invalidCount: (list?.invalid ?? 0) + batch.invalid)
    guard let list else { return try reject(file, rejection) }
    let name = ListName(stored: list.name)
    try spool.reject(file.name, identity: file.status.identity, as: name, rejection)
    try queue.abandonImport(list.id)
    try spool.clearForce(file)
    return .rejected(name, rejection)
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
        invalid: list.invalid),
      invalid: invalid.map { InvalidLine(line: $0.line, text: $0.text, reason: $0.reason) },
      duplicateOf: list.duplicateOf, requeued: list.requeued, format: list.format)
  }
}
