import KeyList
import RegistrationQueue
import Spool

/// The entries of a list in batches. The last entry may be the report that the rest cannot be read.
///
/// A list is only refused as a whole when nothing in it can be used. Once a key was read, whatever stops the reader (the
/// list has grown into a table without a header, for example) is one more bad line. The same bytes always give the same
/// entries, so an interrupted import finds its place by counting them.
struct ListEntries {
  private var reader: KeyListReader
  private var hasKey: Bool
  private var isOver = false
  /// Entries returned so far.
  private var count = 0
  /// The report of what stopped the reader, met while known entries were skipped.
  private var unreported: InvalidLine?
  /// What the reader did not read because it was stopped.
  private var stop: ListEnding.CutShort?
  /// The first bad lines, for the receipt.
  private(set) var invalid: [InvalidLine] = []

  /// - Parameter isKnown: Keys of the list are in the queue, so it can no longer be refused.
  init(_ reader: KeyListReader, isKnown: Bool) {
    self.reader = reader
    hasKey = isKnown
  }

  /// The next entries: at most `size`, or more until one of them is a key. `isLast` says that there are no more.
  ///
  /// - Parameter isInterrupted: Asked from time to time; true ends the batch early.
  mutating func batch(
    of size: Int, isInterrupted: () -> Bool
  ) throws(KeyListError) -> (batch: ImportBatch, isLast: Bool) {
    var batch = ImportBatch()
    while batch.entries < size || (batch.keys.isEmpty && !hasKey) {
      switch try next() {
      case .key(let id, _): batch.keys.append(id)
      case .invalid: batch.invalid += 1
      case nil: return (batch, true)
      }
      if batch.entries % size == 0, isInterrupted() { break }
    }
    return (batch, false)
  }

  /// Skips entries that are committed.
  mutating func skip(_ count: Int) throws(KeyListError) {
    for _ in 0..<count {
      let entry = try next()
      if stop != nil, case .invalid(let line) = entry { unreported = line }
      if stop != nil || entry == nil { return }
    }
  }

  private mutating func next() throws(KeyListError) -> KeyListEntry? {
    if let line = unreported.take() { return .invalid(line) }
    guard !isOver else { return nil }
    let entry: KeyListEntry?
    do {
      entry = try reader.next()
    } catch {
      if case .unreadable = error.kind { throw error }
      guard hasKey else { throw error }
      isOver = true
      count += 1
      // With only its first line, the list was read before it grew.
      let line = error.line ?? 1
      let stop = try reader.cutShort(behind: line)
      self.stop = stop
      let bad = InvalidLine(line: line, text: "", reason: .stopped(error, stop))
      note(bad)
      return .invalid(bad)
    }
    if entry != nil { count += 1 }
    switch entry {
    case .key: hasKey = true
    case .invalid(let line): note(line)
    case nil: isOver = true
    }
    return entry
  }

  private mutating func note(_ line: InvalidLine) {
    if invalid.count < Receipt.invalidLimit { invalid.append(line) }
  }

  /// The reader was stopped before the first entry.
  var isStoppedAtOnce: Bool { stop != nil && count == 1 }

  /// The form of the list; known after the first entry.
  var format: KeyListFormat? { reader.format }

  /// True when an entry returned so far may change once more bytes follow.
  var isUnsettled: Bool { isUnterminated || reader.settled < count }

  /// True when the last record has no line end, or the last value is not closed.
  var isUnterminated: Bool { reader.ending.isUnterminated }

  /// Why part of the list was not read, and how much of it.
  var cutShort: ListEnding.CutShort? { stop ?? reader.ending.cutShort }

  /// True when the earlier reading assumed another form: then entries cannot be matched by counting.
  func isOtherForm(than known: ListRecord) -> Bool {
    guard let format else { return false }
    return format.name != known.format || format.column != known.column
  }

  /// For a list without a key.
  func rejection(invalidCount: Int) -> Rejection {
    Rejection.noValidKey(invalid: invalid, invalidCount: invalidCount)
  }
}
