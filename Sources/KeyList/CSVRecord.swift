/// One field of CSV (RFC 4180), measured among the visible bytes without copying. Spaces around the quotes are ignored.
struct CSVField {
  /// Without its quotes.
  var content: Range<Int>
  /// True when it contains doubled quotes.
  var isDoubled = false
  var isQuoted = false
  /// Line ends within the quotes.
  var lines = 0
  /// The offset of the separator or line end after it, or the end of the visible bytes.
  var end: Int

  private static let quote = UInt8(ascii: "\"")

  /// The field that begins at `offset`. Nil when its quote is not closed in the visible bytes, or text follows the
  /// closing quote.
  static func measure(_ bytes: ListBytes, from offset: Int, separator: UInt8) -> CSVField? {
    let count = bytes.count
    let start = skipSpaces(bytes, from: offset, separator: separator)
    guard start < count, bytes[start] == quote else {
      var end = start
      while end < count, bytes[end] != separator, !Edges.isLineEnd(bytes[end]) { end += 1 }
      return CSVField(content: start..<end, end: end)
    }
    var isDoubled = false
    guard let closing = closingQuote(bytes, from: start + 1, isDoubled: &isDoubled) else { return nil }
    let content = start + 1..<closing
    let end = skipSpaces(bytes, from: closing + 1, separator: separator)
    guard end == count || bytes[end] == separator || Edges.isLineEnd(bytes[end]) else { return nil }
    return CSVField(
      content: content, isDoubled: isDoubled, isQuoted: true, lines: lineEnds(in: bytes[content]), end: end)
  }

  /// The offset after the opening quote of the field at `offset`, which cannot be measured. Nil when it has a closing
  /// one, too.
  static func opening(_ bytes: ListBytes, from offset: Int, separator: UInt8) -> Int? {
    var isDoubled = false
    let start = skipSpaces(bytes, from: offset, separator: separator) + 1
    return closingQuote(bytes, from: start, isDoubled: &isDoubled) == nil ? start : nil
  }

  private static func skipSpaces(_ bytes: ListBytes, from offset: Int, separator: UInt8) -> Int {
    var offset = offset
    while offset < bytes.count, Edges.isSpace(bytes[offset]), bytes[offset] != separator,
      !Edges.isLineEnd(bytes[offset])
    {
      offset += 1
    }
    return offset
  }

  private static func closingQuote(_ bytes: ListBytes, from offset: Int, isDoubled: inout Bool) -> Int? {
    var offset = offset
    while let found = bytes.firstOffset(of: quote, from: offset) {
      guard found + 1 < bytes.count, bytes[found + 1] == quote else { return found }
      isDoubled = true
      offset = found + 2
    }
    return nil
  }

  static func lineEnds(in text: ArraySlice<UInt8>) -> Int {
    var lines = 0
    var previous: UInt8 = 0
    for byte in text {
      if byte == UInt8(ascii: "\r") || (byte == UInt8(ascii: "\n") && previous != UInt8(ascii: "\r")) { lines += 1 }
      previous = byte
    }
    return lines
  }

  /// `field` with each doubled quote as one.
  static func singleQuotes(_ field: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
    var result: [UInt8] = []
    var isSecond = false
    for byte in field {
      isSecond = byte == quote && !isSecond
      if !isSecond || byte != quote { result.append(byte) }
    }
    return result[...]
  }
}

/// One record of a CSV list, measured among the visible bytes.
struct CSVRecord {
  enum Measured {
    case record(CSVRecord)
    /// A quote is not closed in the visible bytes, and what is quoted begins at `open`; or text follows the closing one.
    /// A stray quote must cost only its own line, so the caller continues after that line.
    case strayQuote(open: Int?)
    /// The record continues after the visible bytes.
    case endless
  }

  /// The position of the wanted field, without its quotes; nil when the record ends before it.
  var field: Range<Int>?
  /// True when `field` contains doubled quotes.
  var hasDoubledQuotes = false
  /// The positions of the fields that say more about it: see `CSVHeader`.
  private(set) var rival: Range<Int>?
  private(set) var type: Range<Int>?
  /// How many fields there are; in a list with one column, without empty ones at the end.
  var fields = 0
  /// True when all fields are blank.
  var isBlank = true
  /// Bytes up to the line end, and of the line end itself: 0 when there is none.
  var length = 0
  var lineEnd = 0
  /// Line ends within quotes.
  var innerLines = 0

  /// Measures the record at the window's start.
  static func measure(_ bytes: ListBytes, header: CSVHeader) -> Measured {
    let count = bytes.count
    var record = CSVRecord()
    var offset = 0
    var index = 0
    while true {
      guard let field = CSVField.measure(bytes, from: offset, separator: header.separator) else {
        return .strayQuote(open: CSVField.opening(bytes, from: offset, separator: header.separator))
      }
      if field.end == count, bytes.continues {
        return field.isQuoted ? .strayQuote(open: field.content.lowerBound) : .endless
      }
      if field.lines > 0, holdsRecord(bytes[field.content], header: header) { return .strayQuote(open: nil) }
      record.add(field, index: index, header: header)
      offset = field.end
      if offset == count || Edges.isLineEnd(bytes[offset]) {
        record.length = offset
        if offset < count {
          let isPair =
            bytes[offset] == UInt8(ascii: "\r") && offset + 1 < count && bytes[offset + 1] == UInt8(ascii: "\n")
          if bytes[offset] == UInt8(ascii: "\r"), offset + 1 == count, bytes.continues { return .endless }
          record.lineEnd = isPair ? 2 : 1
        }
        return .record(record)
      }
      offset += 1
      index += 1
    }
  }

  private mutating func add(_ measured: CSVField, index: Int, header: CSVHeader) {
    if index == header.column {
      field = measured.content
      hasDoubledQuotes = measured.isDoubled
    }
    if index == header.rival { rival = measured.content }
    if index == header.type { type = measured.content }
    if !measured.content.isEmpty { isBlank = false }
    if index < header.columns || !measured.content.isEmpty || header.columns > 1 { fields = index + 1 }
    innerLines += measured.lines
  }

  /// Whether a line within a quoted field is itself a record with a key id. Then this is not text with line ends but an
  /// opening quote too many, which must not swallow the records up to the next quote.
  private static func holdsRecord(_ text: ArraySlice<UInt8>, header: CSVHeader) -> Bool {
    text.split(omittingEmptySubsequences: false, whereSeparator: Edges.isLineEnd).dropFirst().contains { line in
      let fields = line.split(separator: header.separator, omittingEmptySubsequences: false)
      guard fields.count == header.columns, case .key = KeyIDText.read(fields[header.column]) else { return false }
      return true
    }
  }
}
