import Registration

/// Reads a CSV list: the header's column of key ids, record by record.
///
/// Only that field is looked at, so that a name in another encoding beside it does no harm.
struct CSVScanner {
  let header: CSVHeader
  /// The line on which the header stands. What says something before it is reported.
  let headerLine: Int

  func next(_ bytes: inout ListBytes) throws(KeyListError) -> KeyListEntry? {
    while true {
      try bytes.fill()
      if bytes.count == 0 { return nil }
      if isComment(bytes) || bytes.line == headerLine {
        try bytes.skipLine()
        continue
      }
      if bytes.line < headerLine {
        if let entry = try wholeLine(&bytes, reason: "not a key id, and before the header line") { return entry }
        continue
      }
      switch CSVRecord.measure(bytes, header: header) {
      case .endless:
        let reason = "\(KeyIDText.notAnID): the line is longer than \(ListBytes.lookahead) bytes"
        if let entry = try wholeLine(&bytes, reason: reason) { return entry }
      case .strayQuote:
        let reason = "a quote is opened and not closed, or text follows the closing quote"
        if let entry = try wholeLine(&bytes, reason: reason) { return entry }
      case .record(let record):
        let entry = entry(record, in: bytes)
        bytes.advance(record.length + record.lineEnd, lines: record.innerLines + record.lineEnd)
        if let entry { return entry }
      }
    }
  }

  private func entry(_ record: CSVRecord, in bytes: ListBytes) -> KeyListEntry? {
    if record.isBlank { return nil }
    let line = bytes.line
    if record.isTooWide {
      let reason =
        "\(record.fields) fields where the header has \(header.columns): a field with a separator needs quotes"
      return .invalid(InvalidLine(line: line, bytes: Edges.trimmed(bytes[0..<record.length]), reason: reason))
    }
    guard let range = record.field else {
      let reason = "the line ends before the column \(header.name)"
      return .invalid(InvalidLine(line: line, bytes: Edges.trimmed(bytes[0..<record.length]), reason: reason))
    }
    let field = record.hasDoubledQuotes ? Self.singleQuotes(bytes[range]) : bytes[range]
    switch KeyIDText.read(field) {
    case .key(let id):
      return .key(id, line: line)
    case .blank:
      let reason = "the column \(header.name) is empty"
      return .invalid(InvalidLine(line: line, bytes: Edges.trimmed(bytes[0..<record.length]), reason: reason))
    case .invalid(let reason):
      return .invalid(InvalidLine(line: line, bytes: Edges.trimmed(field), reason: reason))
    }
  }

  /// Reports the line at the window's start and moves behind it. Nil when it is blank.
  private func wholeLine(_ bytes: inout ListBytes, reason: String) throws(KeyListError) -> KeyListEntry? {
    let end = bytes.firstOffset(of: bytes.lineEnd)
    let text = Edges.trimmed(bytes[0..<(end ?? bytes.count)])
    let isCut = end == nil && bytes.continues
    let entry = KeyListEntry.invalid(InvalidLine(line: bytes.line, bytes: text, isCut: isCut, reason: reason))
    try bytes.skipLine()
    return text.isEmpty && !isCut ? nil : entry
  }

  private func isComment(_ bytes: ListBytes) -> Bool {
    var offset = 0
    while offset < bytes.count, bytes[offset] == UInt8(ascii: " ") { offset += 1 }
    return offset < bytes.count && bytes[offset] == UInt8(ascii: "#")
  }

  /// `field` with each pair of quotes as one.
  private static func singleQuotes(_ field: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
    var result: [UInt8] = []
    var isSecond = false
    for byte in field {
      isSecond = byte == UInt8(ascii: "\"") && !isSecond
      if !isSecond || byte != UInt8(ascii: "\"") { result.append(byte) }
    }
    return result[...]
  }
}
