import Registration

/// Reads a CSV list: the header's column of key ids, record by record.
///
/// Other fields are not examined, so that a name in another encoding does no harm, unless they say what the id is. A
/// record whose number of fields differs from the header's is not used if the value in the column may belong elsewhere:
/// a line end, a quote or a separator is missing or too many.
struct CSVScanner {
  let header: CSVHeader
  /// Columns whose fields are kept for the caller.
  var kept: ArraySlice<Int> = []
  /// The kept fields of the record that was returned last, if its id is a key.
  private(set) var fields: [[UInt8]] = []
  private(set) var ending = ListEnding()
  private var isOver = false
  private var isBehindBlank = false
  private var latestType: (text: ArraySlice<UInt8>, isOther: Bool)?
  /// The name of something else above the header.
  private var heading: TextHeading?

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
      return try wholeLine(&bytes, reason: .notAnID(.longLine))
    case .strayQuote(let open?) where bytes.continues:
      return try farQuote(&bytes, open: open)
    case .strayQuote(let open):
      // More bytes may close the quote, or show that the closing one is the first of a doubled quote.
      if !bytes.continues, open != nil || bytes[bytes.count - 1] == UInt8(ascii: "\"") { ending.isUnsettled = true }
      return try wholeLine(&bytes, reason: .record(.strayQuote))
    case .record(let record):
      defer { isBehindBlank = record.isBlank }
      let field = record.field ?? (record.fields == 1 ? 0..<record.length : 0..<0)
      if !field.isEmpty, !KeyIDText.isKey(bytes[field]) {
        if let other = CSVNextTable(record, field: field, in: bytes, below: header, isBehindBlank: isBehindBlank) {
          return try giveUp(&bytes, before: other, record)
        }
        // The record after it may show that it is another header.
        let next = CSVNextTable.next(after: record, in: bytes, below: header)
        if !bytes.continues, !next.contains(where: Edges.isLineEnd) { ending.isUnsettled = true }
      }
      let entry = entry(record, in: bytes)
      if record.lineEnd == 0, !record.isBlank { ending.touchEnd() }
      bytes.advance(record.length + record.lineEnd, lines: record.innerLines + (record.lineEnd > 0 ? 1 : 0))
      return entry
    }
  }

  private mutating func farQuote(_ bytes: inout ListBytes, open: Int) throws(KeyListError) -> KeyListEntry? {
    switch try CSVFarQuote(bytes, open: open, separator: header.separator) {
    case .closed(let end):
      let text = bytes[0..<InvalidLine.excerptBytes]
      let bad = InvalidLine(line: bytes.line, bytes: text, isCut: true, reason: .record(.longField))
      bytes = end
      if try !bytes.skipLine() { ending.touchEnd() }
      return .invalid(bad)
    case .alone:
      ending.isUnsettled = true
      fallthrough
    case .stray:
      return try wholeLine(&bytes, reason: .record(.farQuote))
    }
  }

  private mutating func giveUp(
    _ bytes: inout ListBytes, before other: CSVNextTable, _ record: CSVRecord
  ) throws(KeyListError) -> KeyListEntry {
    isOver = true
    ending.isUnsettled = true
    let text = Edges.trimmed(bytes[0..<record.length])
    let from = bytes.position
    let total = try bytes.total()
    let cut = ListEnding.CutShort(line: bytes.line, read: from, end: total, total: total)
    ending.cutShort = cut
    return .invalid(InvalidLine(line: cut.line, bytes: text, reason: .nextTable(other.header, cut)))
  }

  private mutating func entry(_ record: CSVRecord, in bytes: ListBytes) -> KeyListEntry? {
    if record.isBlank { return nil }
    let line = bytes.line
    let text = Edges.trimmed(bytes[0..<record.length])
    if let first = text.first, "-+|=`~".utf8.contains(first), Edges.isRule(text) { return nil }
    if record.fields != header.columns, !isOnlyShort(record, in: bytes) {
      let mistake: RecordFlaw.Mistake =
        if text.first == UInt8(ascii: "#") { .comment } else if record.fields < header.columns {
          .brokenLine
        } else if text.last == header.separator { .separatorAtEnd } else { .separatorWithoutQuotes }
      let flaw = RecordFlaw.fields(record.fields, columns: header.columns, mistake)
      return .invalid(InvalidLine(line: line, bytes: text, reason: .record(flaw)))
    }
    guard let range = record.field else { return nil }
    let field = record.hasDoubledQuotes ? CSVField.singleQuotes(bytes[range]) : bytes[range]
    switch KeyIDText.read(field) {
    case .key(let id):
      if let reason = doubt(about: id, record, in: bytes) {
        return .invalid(InvalidLine(line: line, bytes: text, reason: reason))
      }
      if !kept.isEmpty { keepFields(bytes) }
      return .key(id, line: line)
    case .blank:
      return .invalid(InvalidLine(line: line, bytes: text, reason: .record(.empty(column: header.name))))
    case .invalid(let flaw):
      return .invalid(InvalidLine(line: line, bytes: Edges.trimmed(field), reason: .notAnID(flaw)))
    }
  }

  /// Whether a record only lacks fields at its end, as spreadsheets leave out empty ones: the id in the column is the
  /// only one, and none that belongs to a later column can have moved there.
  private func isOnlyShort(_ record: CSVRecord, in bytes: ListBytes) -> Bool {
    guard record.fields < header.columns, let field = record.field, !header.hasIDsBehind else { return false }
    return !KeyIDText.holdsID(bytes[0..<field.lowerBound])
      && !KeyIDText.holdsID(bytes[field.upperBound..<record.length])
  }

  /// Why the id in the column may be that of something else.
  private mutating func doubt(about id: AppKeyID, _ record: CSVRecord, in bytes: ListBytes) -> InvalidReason? {
    if let heading, header.rank > 1 { return .other(.below(heading.shownName)) }
    if let rival = record.rival, case .key(let other) = KeyIDText.read(bytes[rival]), other != id {
      return .unclear(.differentColumns)
    }
    guard let range = record.type, isOtherType(bytes[range]) else { return nil }
    return .other(.type(InvalidLine.shown(bytes[range], characters: 40)))
  }

  /// Most rows have the type of the row before.
  private mutating func isOtherType(_ text: ArraySlice<UInt8>) -> Bool {
    if let known = latestType, known.text == text { return known.isOther }
    let isOther = JSONType.isOther(named: Array(text))
    latestType = (Array(text)[...], isOther)
    return isOther
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
      guard field.end < bytes.count, bytes[field.end] == header.separator else { break }
    }
    // A short record leaves the last ones out.
    while fields.count < kept.count { fields.append([]) }
  }

  /// A line before the header: a comment, a blank row or `sep=;` is skipped, anything else is reported.
  private mutating func lineBefore(_ bytes: inout ListBytes) throws(KeyListError) -> KeyListEntry? {
    let line = CleanText.clean(Edges.trimmed(bytes[0..<(bytes.lineEnd()?.lowerBound ?? bytes.count)]))
    if let found = line.first == UInt8(ascii: "#") ? TextHeading(comment: line) : TextHeading(line) {
      heading = found.meaning == .other && found.closing != nil ? found : nil
    } else if let title = titleAbove(line), let found = TextHeading(title), found.meaning == .other {
      heading = found
    }
    let isBlank = line.allSatisfy { $0 == header.separator || Edges.isSpace($0) }
    guard isBlank || line.first == UInt8(ascii: "#") || SeparatorLine(line) != nil || Edges.isRule(line) else {
      return try wholeLine(&bytes, reason: .record(.beforeHeader))
    }
    try bytes.skipLine()
    return nil
  }

  /// What a first row of titles has above the column of keys: a merged cell stands in its first column only.
  private func titleAbove(_ line: ArraySlice<UInt8>) -> ArraySlice<UInt8>? {
    guard let titles = CSVFields(at: line, separator: header.separator)?.fields, titles.count == header.columns,
      titles.count > 1
    else { return nil }
    return titles[...header.column].last { !$0.isEmpty }?[...]
  }

  /// Reports the line at the window's start and moves past it. Nil when it is blank.
  private mutating func wholeLine(
    _ bytes: inout ListBytes, reason: InvalidReason
  ) throws(KeyListError) -> KeyListEntry? {
    let end = bytes.lineEnd()?.lowerBound
    let text = Edges.trimmed(bytes[0..<(end ?? bytes.count)])
    let isCut = end == nil && bytes.continues
    let entry = KeyListEntry.invalid(InvalidLine(line: bytes.line, bytes: text, isCut: isCut, reason: reason))
    let isBlank = text.isEmpty && !isCut
    if try !bytes.skipLine(), !isBlank { ending.touchEnd() }
    return isBlank ? nil : entry
  }
}
