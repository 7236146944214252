/// Reads a key list of any length and form, entry by entry, in constant memory.
///
/// The form is told from the beginning of the content (`FormatDetection`). The list is UTF-8, with or without a byte
/// order mark; lines end in LF or CRLF, or in CR throughout.
package struct KeyListReader: Sendable {
  private enum Scanner {
    case text(TextScanner)
    case csv(CSVScanner)
    case json(JSONScanner)
  }

  private var bytes: ListBytes
  private var scanner: Scanner?

  /// What the list was told to be. Nil before the first entry is asked for.
  package private(set) var format: KeyListFormat?

  package init(_ source: some KeyListSource) {
    bytes = ListBytes(source: source)
  }

  /// Reads a list that is in memory.
  package init(bytes: some Sequence<UInt8>) {
    self.init(MemorySource(bytes))
  }

  /// The next entry, nil at the end. Throws when the list is no UTF-8 text, or cannot be read.
  package mutating func next() throws(KeyListError) -> KeyListEntry? {
    if scanner == nil { scanner = try detect() }
    switch scanner {
    case .text(let text):
      return try text.next(&bytes)
    case .csv(let csv):
      return try csv.next(&bytes)
    case .json(var json):
      scanner = nil
      defer { scanner = .json(json) }
      return try json.next(&bytes)
    case nil:
      return nil
    }
  }

  /// Reads past the first `count` entries, those that an interrupted import has committed already. Returns how many
  /// there were: fewer when the list is shorter.
  package mutating func skip(entries count: Int) throws(KeyListError) -> Int {
    for skipped in 0..<count {
      if try next() == nil { return skipped }
    }
    return count
  }

  /// True when there is a carriage return in sight and no line feed. One that is the last byte in sight may belong to a
  /// line feed behind it.
  private var endsLinesInCR: Bool {
    guard bytes.firstOffset(of: UInt8(ascii: "\n")) == nil, let first = bytes.firstOffset(of: UInt8(ascii: "\r")) else {
      return false
    }
    return first < bytes.count - 1 || !bytes.continues
  }

  private mutating func detect() throws(KeyListError) -> Scanner {
    try bytes.fill()
    if endsLinesInCR { bytes.lineEnd = UInt8(ascii: "\r") }
    let sample = bytes[0..<bytes.count]
    try ContentCheck.check(sample, lineEnd: bytes.lineEnd)
    if bytes.starts(with: Edges.byteOrderMark) {
      bytes.skipByteOrderMark()
      try bytes.fill()
    }
    switch FormatDetection.form(of: bytes[0..<bytes.count], isWhole: !bytes.continues, lineEnd: bytes.lineEnd) {
    case .text:
      format = .text
      return .text(TextScanner())
    case .csv(let header, let line):
      format = .csv(column: header.name, separator: header.separator)
      return .csv(CSVScanner(header: header, headerLine: line))
    case .json:
      format = .json
      return .json(JSONScanner())
    }
  }
}
