import Registration

/// Reads a CSV list: the header's column of key ids, record by record.
///
/// Only that field is examined, so that a name in another encoding beside it does no harm. A record whose number of
/// fields differs from the header's is not used: a line end, a quote or a separator is missing or too many, so the
/// value in the column may belong elsewhere.
struct CSVScanner {
  let header: CSVHeader
  /// Columns whose fields are kept for the caller.
  var kept: ArraySlice<Int> = []
  /// The kept fields of the record that was returned last, if its id is a key.
  private(set) var fields: [[UInt8]] = []
  private(set) var ending = ListEnding()
  private var isOver = false

  init(header: CSVHeader) {
    self.header = header
  }

  mutating func next(_ bytes: inout ListBytes) throws(KeyListError) -> KeyListEntry? {
    while true {
      if isOver { return nil }
      try bytes.fill()
      if bytes.count == 0 { return nil }
      if bytes.line < header.line {
        if let entry = try lineBefore(&bytes) { return entry }
        continue
      }
      if bytes.line == header.line {
        bytes.advance(header.length, lines: header.innerLines)
        try bytes.skipLine()
        continue
      }
      if let entry = try record(&bytes) { return entry }
    }
  }

  private mutating func record(_ bytes: inout ListBytes) throws(KeyListError) -> KeyListEntry? {
    switch CSVRecord.measure(bytes, header: header) {
    case .endless:
      return try wholeLine(
        &bytes, reason: "\(KeyIDText.notAnID): the line is longer than \(ListBytes.lookahead) bytes")
    case .strayQuote(let isOpen):
      // More bytes may close the quote, or show that the closing one is the first of a doubled quote.
      if !bytes.continues, isOpen || bytes[bytes.count - 1] == UInt8(ascii: "\"") { ending.isUnsettled = true }
      return try wholeLine(&bytes, reason: isOpen && bytes.continues ? Self.farQuote : Self.strayQuote)
    case .record(let record):
      if let other = otherHeader(record, in: bytes) { return try giveUp(&bytes, before: other, record) }
      let entry = entry(record, in: bytes)
      if record.lineEnd == 0, !record.isBlank { ending.touchEnd() }
      bytes.advance(record.length + record.lineEnd, lines: record.innerLines + (record.lineEnd > 0 ? 1 : 0))
      return entry
    }
  }

  /// Another header, with the ids in another column: two lists were joined. The record after it distinguishes it from a
  /// bad record that happens to contain such a name.
  private func otherHeader(_ record: CSVRecord, in bytes: ListBytes) -> CSVHeader? {
    guard record.fields == header.columns, let range = record.field, !range.isEmpty, !KeyIDText.isKey(bytes[range]),
      // A header with two equivalent columns does not say where the ids are.
      let other = try? CSVHeader(at: bytes[0..<record.length]), other.column != header.column,
      let next = CSVFields(at: bytes[(record.length + record.lineEnd)..<bytes.count], separator: header.separator),
      next.fields.count > other.column, KeyIDText.isKey(next.fields[other.column][...])
    else { return nil }
    return other
  }

  private mutating func giveUp(
    _ bytes: inout ListBytes, before other: CSVHeader, _ record: CSVRecord
  ) throws(KeyListError) -> KeyListEntry {
    isOver = true
    ending.isUnsettled = true
    let text = Edges.trimmed(bytes[0..<record.length])
    var line = InvalidLine(
      line: bytes.line, bytes: text, reason: "another header, with the ids in column \(other.column + 1)")
    let from = bytes.position
    let total = try bytes.total()
    let cut = ListEnding.CutShort(line: line.line, read: from, end: total, total: total)
    ending.cutShort = cut
    line.reason += "; submit what follows as a list of its own: \(cut.description)"
    return .invalid(line)
  }

  private static let strayQuote = "a quote is opened and not closed, or text follows the closing quote"
  private static let farQuote = "a quote is opened and not closed within \(ListBytes.lookahead) bytes"

  private mutating func entry(_ record: CSVRecord, in bytes: ListBytes) -> KeyListEntry? {
    if record.isBlank { return nil }
    let line = bytes.line
    let text = Edges.trimmed(bytes[0..<record.length])
    if let first = text.first, "-+|=`~".utf8.contains(first), Edges.isRule(text) { return nil }
    if record.fields != header.columns {
      let counts = "\(record.fields) field\(record.fields == 1 ? "" : "s") where the header has \(header.columns)"
      let reason =
        text.first == UInt8(ascii: "#")
        ? "taken for a comment: \(counts)"
        : record.fields > header.columns
          ? text.last == header.separator
            ? "\(counts): the line ends in one separator too many, or a field with a separator needs quotes"
            : "\(counts): a field with a separator needs quotes"
          : "\(counts): is the line broken, or a separator missing?"
      return .invalid(InvalidLine(line: line, bytes: text, reason: reason))
    }
    guard let range = record.field else { return nil }
    let field = record.hasDoubledQuotes ? CSVField.singleQuotes(bytes[range]) : bytes[range]
    switch KeyIDText.read(field) {
    case .key(let id):
      if !kept.isEmpty { keepFields(bytes) }
      return .key(id, line: line)
    case .blank:
      return .invalid(InvalidLine(line: line, bytes: text, reason: "the column \(header.name) is empty"))
    case .invalid(let reason):
      return .invalid(InvalidLine(line: line, bytes: Edges.trimmed(field), reason: reason))
    }
  }

  private mutating func keepFields(_ bytes: ListBytes) {
    fields.removeAll(keepingCapacity: true)
    var offset = 0
    for column in 0...(kept.last ?? 0) {
      guard let field = CSVField.measure(bytes, from: offset, separator: header.separator) else { return }
      if column != header.column {
        // Spaces around quotes are not part of a field; without quotes they are.
        let content = bytes[field.isQuoted ? field.content : offset..<field.end]
        fields.append(Array(field.isDoubled ? CSVField.singleQuotes(content) : content))
      }
      offset = field.end + 1
    }
  }

  /// A line before the header: a comment, a blank row or `sep=;` is skipped, anything else is reported.
  private mutating func lineBefore(_ bytes: inout ListBytes) throws(KeyListError) -> KeyListEntry? {
    let line = Edges.trimmed(bytes[0..<(bytes.lineEnd()?.lowerBound ?? bytes.count)])
    let isBlank = line.allSatisfy { $0 == header.separator || Edges.isSpace($0) }
    guard isBlank || line.first == UInt8(ascii: "#") || SeparatorLine(line) != nil || Edges.isRule(line) else {
      return try wholeLine(&bytes, reason: "not a key id, and before the header line")
    }
    try bytes.skipLine()
    return nil
  }

  /// Reports the line at the window's start and moves past it. Nil when it is blank.
  private mutating func wholeLine(_ bytes: inout ListBytes, reason: String) throws(KeyListError) -> KeyListEntry? {
    let end = bytes.lineEnd()?.lowerBound
    let text = Edges.trimmed(bytes[0..<(end ?? bytes.count)])
    let isCut = end == nil && bytes.continues
    let entry = KeyListEntry.invalid(InvalidLine(line: bytes.line, bytes: text, isCut: isCut, reason: reason))
    let isBlank = text.isEmpty && !isCut
    if try !bytes.skipLine(), !isBlank { ending.touchEnd() }
    return isBlank ? nil : entry
  }
}
