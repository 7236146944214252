import KeyList
import Logging
import Registration
import RegistrationQueue
import Spool

/// Reads one claimed list into the queue and files it.
///
/// Every step can be repeated after a kill: committed entries are skipped, a list that is committed completely is only
/// filed, and a file is moved only after its last key is committed. A filed list that was written to is read where it
/// is.
struct ListReading {
  enum Ending {
    case imported(Receipt, cutShort: ListEnding.CutShort?)
    case rejected(ListName, Rejection)
    /// All of it was read before.
    case unchanged
    /// It is no longer there.
    case gone
    /// It is being written to, or its last record has no line end: it is read once it has settled.
    case notStill
    /// The daemon is stopping; the next start continues.
    case interrupted
  }

  let queue: RegistrationQueue
  let spool: SpoolDirectory
  /// Bytes.
  let maxFileSize: Int
  let log: Logger
  let isInterrupted: () -> Bool
  /// Called after each commit, so that work begins before a long list has been read completely.
  let committed: () -> Void
  /// Notifies operators of rejected lists.
  var announcer: Announcer?

  /// - Parameter wantsReceipt: A client waits for it, even if the whole list was read before.
  func run(_ list: ReadyList, wantsReceipt: Bool = false) throws -> Ending {
    guard let place = try place(of: list.name) else { return .gone }
    switch place {
    case .rejected: return try readRejected(list)
    case .done where try queue.list(named: list.name.text) == nil:
      // Whatever is there, it is not a list of ours.
      return .unchanged
    default: return try read(list, in: place, wantsReceipt: wantsReceipt)
    }
  }

  /// Completes a list whose file is gone: its keys are kept, with a receipt that counts them.
  func close(_ list: ListRecord) throws {
    var list = list
    if list.importedAt == nil {
      list = try queue.finishImport(list.id)
      log.warning(
        "a list disappeared before it was fully read; the keys read so far are kept",
        metadata: ["list": "\(list.name)", "accepted": "\(list.accepted)"])
    }
    try spool.store(Receipt(list, invalid: []), as: ListName(stored: list.name))
    try queue.noteFiled(list.id, at: .now())
    committed()
  }

  /// Where the list is now: it may have been filed since somebody wrote to it.
  private func place(of name: ListName) throws -> SpoolDirectory.Subfolder? {
    for place in [SpoolDirectory.Subfolder.reading, .done, .rejected] {
      if try spool.status(of: name.fileName, in: place)?.kind == .regular { return place }
    }
    return nil
  }

  /// A rejected list that was written to is read again.
  private func readRejected(_ list: ReadyList) throws -> Ending {
    let status = try spool.status(of: list.name.fileName, in: .rejected)
    if let status, let known = try queue.rejectedList(named: list.name.text), known.isOf(status) { return .unchanged }
    guard try spool.reopen(list.name) else { return .gone }
    return try read(list, in: .reading, wantsReceipt: false)
  }

  private func read(_ list: ReadyList, in place: SpoolDirectory.Subfolder, wantsReceipt: Bool) throws -> Ending {
    let file: SpoolFile
    do {
      file = try spool.open(list.name.fileName, in: place, maximumSize: .max)
    } catch {
      // It was moved at this moment: the next scan finds it in its new place.
      if error.kind == .missing { return .notStill }
      throw error
    }
    let known = try queue.list(named: list.name.text)
    if let known, place == .done, known.isReadToItsEnd(file.status), !wantsReceipt { return .unchanged }
    if file.size > Int64(maxFileSize) { return try refuse(file, tooLargeFor: known, as: list.name) }
    do {
      guard try list.isStill || file.endsWithLineEnd() else { return .notStill }
      let sums = try file.sha256(prefix: known.map { Int64($0.bytes) })
      let content = ReadingPlan.Content(size: Int(file.size), sha256: sums.whole, sha256OfKnown: sums.prefix)
      let reading = Reading(
        file: file, place: place, name: list.name, sha256: sums.whole, known: known)
      return try carryOut(ReadingPlan(known: known, content: content), reading, wantsReceipt: wantsReceipt)
    } catch let error as KeyListError {
      if case .unreadable = error.kind { throw error }
      var rejection = Rejection(error)
      if file.bytesRead < file.size { rejection.extent = .init(read: file.bytesRead, size: file.size) }
      return try reject(list.name, file, rejection)
    }
  }

  /// One reading of one file.
  struct Reading {
    var file: SpoolFile
    var place: SpoolDirectory.Subfolder
    var name: ListName
    var sha256: String
    /// What the queue knows about the list.
    var known: ListRecord?
  }

  private func carryOut(_ plan: ReadingPlan, _ reading: Reading, wantsReceipt: Bool) throws -> Ending {
    switch plan {
    case .nothing where !wantsReceipt && reading.place == .done:
      // The same bytes with other times: the receipt stays valid.
      if let known = reading.known {
        let status = reading.file.status
        try queue.noteUnchanged(known.id, modified: status.modified, at: Self.moment(status))
      }
      return .unchanged
    case .nothing, .file:
      guard let known = reading.known else { return .gone }
      var entries = ListEntries(reading.file.reader(), isKnown: true)
      // Only for the bad lines in the receipt.
      try entries.skip(known.entries)
      return try file(known, reading, entries)
    case .begin: return try append(to: nil, reading, skipping: 0)
    case .resume(let entries): return try append(to: reading.known, reading, skipping: entries)
    case .replace: return try replace(reading)
    }
  }

  /// Reads the entries after the first `skipped` ones, adding to what is known about the list.
  private func append(to known: ListRecord?, _ reading: Reading, skipping skipped: Int) throws -> Ending {
    var list = known
    var entries = ListEntries(reading.file.reader(), isKnown: known != nil)
    try entries.skip(skipped)
    var size = BatchSize()
    while true {
      let (batch, isLast) = try entries.batch(of: size.entries, isInterrupted: isInterrupted)
      // With more bytes, the beginning may look like another form.
      if let known, skipped > 0, entries.isOtherForm(than: known) { return try replace(reading) }
      if list == nil, batch.keys.isEmpty {
        guard isLast else { return .interrupted }
        return try reject(reading.name, reading.file, entries.rejection(invalidCount: batch.invalid))
      }
      guard try !isLast || reading.file.isUnchanged() else { return .notStill }
      let source = try source(of: reading, entries)
      list = try size.adjust(isAwaited: queue.isWriterAwaited) {
        guard let list else { return try queue.beginImport(source, first: batch, isWhole: isLast) }
        return try queue.importBatch(batch, into: list.id, of: source, isLast: isLast)
      }
      committed()
      if isLast, let list { return try file(list, reading, entries) }
      if isInterrupted() { return .interrupted }
    }
  }

  /// Reads the list from its beginning; its counts become those of this reading.
  private func replace(_ reading: Reading) throws -> Ending {
    guard let known = reading.known else { return .gone }
    var rereading = Rereading(of: known.id)
    var entries = ListEntries(reading.file.reader(), isKnown: true)
    var size = BatchSize()
    while true {
      let (batch, isLast) = try entries.batch(of: size.entries, isInterrupted: isInterrupted)
      guard try !isLast || reading.file.isUnchanged() else { return .notStill }
      if entries.isStoppedAtOnce { return try keep(known, reading, entries) }
      try size.adjust(isAwaited: queue.isWriterAwaited) { try queue.importBatch(batch, of: &rereading) }
      committed()
      if isLast {
        let list = try queue.finish(rereading, of: source(of: reading, entries))
        return try file(list, reading, entries)
      }
      if isInterrupted() { return .interrupted }
    }
  }

  /// Nothing in the list can be read any more: what was read of it before counts, with one bad line that says so.
  private func keep(_ known: ListRecord, _ reading: Reading, _ entries: ListEntries) throws -> Ending {
    var batch = ImportBatch()
    if known.invalid == 0 { batch.invalid = 1 }
    let source = try source(of: reading, entries)
    let list = try queue.importBatch(batch, into: known.id, of: source, isLast: true)
    committed()
    return try file(list, reading, entries)
  }

  func source(of reading: Reading, _ entries: ListEntries) throws -> ListSource {
    ListSource(
      name: reading.name.text, sha256: reading.sha256, bytes: Int(reading.file.size),
      modified: reading.file.status.modified, format: entries.format?.name ?? "text", column: entries.format?.column,
      isUnterminated: entries.isUnsettled, isForced: try spool.isForced(reading.file), arrivedAt: .now(),
      terms: try spool.terms(of: reading.file))
  }

  /// Writes the receipt, moves the file, and notes it.
  private func file(_ list: ListRecord, _ reading: Reading, _ entries: ListEntries) throws -> Ending {
    var receipt = Receipt(list, invalid: entries.invalid)
    receipt.isUnterminated = entries.isUnterminated
    if reading.place == .done {
      try reading.file.sync()
      try spool.store(receipt, as: reading.name)
    } else {
      try spool.accept(reading.file, as: reading.name, receipt: receipt)
    }
    try noteFiled([(list.id, reading)])
    return .imported(receipt, cutShort: entries.cutShort)
  }

  /// Notes that these lists are in `done/` with their receipts, and clears up after them.
  func noteFiled(_ lists: [(id: Int64, reading: Reading)]) throws {
    let noted = try queue.noteFiled(
      lists.map { ($0.id, Self.moment(try spool.status(of: $0.reading.name.fileName, in: .done))) })
    for (list, reading) in zip(noted, lists.map(\.reading)) {
      if try queue.rejectedList(named: list.name) != nil { try queue.forgetRejected([list.name]) }
      try spool.clearMarks(reading.file)
      // It may have been stopped before there was a receipt to say so.
      try spool.amendReceipt(of: list)
    }
  }

  /// On the clock of the file system, which may differ from ours: a later change of the file has a later time.
  static func moment(_ status: FileStatus?) -> Timestamp { status?.changedAt ?? .now() }
}
