import KeyList

/// The entries of a list, of which the last may be the report that the rest cannot be read.
///
/// A list is refused as a whole only when nothing in it can be used. Once a key was read, what stops the reader (binary
/// data in the middle, say) is one more bad line. The same bytes always give the same entries, so an interrupted import
/// finds its place by counting them.
struct ListEntries {
  private var reader: KeyListReader
  private var hasKey = false
  private var isOver = false

  init(_ reader: KeyListReader) {
    self.reader = reader
  }

  mutating func next() throws(KeyListError) -> KeyListEntry? {
    guard !isOver else { return nil }
    do {
      let entry = try reader.next()
      if case .key = entry { hasKey = true }
      isOver = entry == nil
      return entry
    } catch {
      isOver = true
      if case .unreadable = error.kind { throw error }
      guard hasKey else { throw error }
      return .invalid(
        InvalidLine(line: error.line ?? 0, text: "", reason: "\(error.message); nothing after it was read"))
    }
  }

  /// The form of the list; known after the first entry.
  var format: KeyListFormat? { reader.format }
}
