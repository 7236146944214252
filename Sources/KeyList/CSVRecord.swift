/// One record of a CSV list (RFC 4180), measured among the bytes in sight, without copying it.
struct CSVRecord {
  enum Measured {
    case record(CSVRecord)
    /// A quote is opened and not closed before the next quote in its turn, or text follows the closing quote. A stray
    /// quote must cost its own line only, so the caller reads on behind the line.
    case strayQuote
    /// The record goes on behind the bytes in sight.
    case endless
  }

  /// Where the field in question stands, without its quotes; nil when the record ends before it.
  var field: Range<Int>?
  /// True when `field` holds quotes that are written twice.
  var hasDoubledQuotes = false
  /// How many fields there are.
  var fields = 0
  /// True when no field says anything.
  var isBlank = true
  /// True when a field behind the last column says something: the columns are out of step.
  var isTooWide = false
  /// Bytes up to the line end, and the line end itself when there is one.
  var length = 0
  var lineEnd = 0
  /// Line ends within quotes.
  var innerLines = 0

  private static let quote = UInt8(ascii: "\"")

  /// Measures the record at the window's start. `columns` and `column` are those of the header.
  static func measure(_ bytes: ListBytes, header: CSVHeader) -> Measured {
    let count = bytes.count
    var record = CSVRecord()
    var offset = 0
    while true {
      var content = offset..<offset
      var isDoubled = false
      offset = skipSpaces(bytes, from: offset, header: header)
      if offset < count, bytes[offset] == quote {
        guard let closing = closingQuote(bytes, from: offset + 1, isDoubled: &isDoubled) else {
          return .strayQuote
        }
        content = offset + 1..<closing
        record.innerLines += bytes[content].count { $0 == bytes.lineEnd }
        offset = skipSpaces(bytes, from: closing + 1, header: header)
        if offset < count, bytes[offset] != header.separator, bytes[offset] != bytes.lineEnd { return .strayQuote }
      } else {
        let start = offset
        while offset < count, bytes[offset] != header.separator, bytes[offset] != bytes.lineEnd { offset += 1 }
        content = start..<offset
      }
      if offset == count, bytes.continues { return .endless }
      record.add(content, isDoubled: isDoubled, header: header)
      if offset == count || bytes[offset] == bytes.lineEnd {
        record.length = offset
        record.lineEnd = offset == count ? 0 : 1
        return .record(record)
      }
      offset += 1
    }
  }

  private mutating func add(_ content: Range<Int>, isDoubled: Bool, header: CSVHeader) {
    if fields == header.column {
      field = content
      hasDoubledQuotes = isDoubled
    }
    if !content.isEmpty {
      isBlank = false
      if fields >= header.columns { isTooWide = true }
    }
    fields += 1
  }

  private static func skipSpaces(_ bytes: ListBytes, from offset: Int, header: CSVHeader) -> Int {
    var offset = offset
    while offset < bytes.count, Edges.isSpace(bytes[offset]), bytes[offset] != header.separator,
      bytes[offset] != bytes.lineEnd
    { offset += 1 }
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
}
