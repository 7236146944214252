/// Reads a key list of any length and form, entry by entry, in constant memory.
///
/// The form is detected from the beginning of the content (`FormatDetection`). The list is UTF-8, with or without a
/// byte order mark, or UTF-16 with one; lines end in LF, CRLF or CR.
///
/// The same bytes always give the same entries. Appended bytes do not change the first `settled` entries as long as
/// `format` stays the same. So a list that has grown is read again from its beginning, skipping the known entries.
package struct KeyListReader: Sendable {
  private var bytes: ListBytes
  /// The scanner for the list's form; all are nil before the first entry is requested.
  private var text: TextScanner?
  private var csv: CSVScanner?
  private var json: JSONScanner?

  /// The detected form. Nil before the first entry is requested.
  package private(set) var format: KeyListFormat?
  /// How many of the entries returned so far are final, whatever may follow the list's last byte. Later ones come from
  /// a record without a line end, or from a value that is not closed.
  package private(set) var settled = 0
  /// How the list ended; complete once `next` has returned nil.
  package var ending: ListEnding {
    var ending = text?.ending ?? csv?.ending ?? json?.ending ?? ListEnding()
    if ending.cutShort?.total == 0 { ending.cutShort?.total = total ?? 0 }
    return ending
  }
  private var total: Int?

  package init(_ source: some KeyListSource) {
    bytes = ListBytes(source: source)
  }

  /// Reads a list that is in memory.
  package init(bytes: some Sequence<UInt8>) {
    self.init(MemorySource(bytes))
  }

  /// Throws when a list that begins with `beginning` cannot be text, so that nobody has to wait for the rest of it.
  package static func check(beginning: [UInt8]) throws(KeyListError) {
    try ContentCheck.check(beginning.prefix(ListBytes.lookahead))
  }

  /// Whether a list ends with a line end, judging by its first four bytes and its last two.
  package static func endsLine(beginning: [UInt8], end: [UInt8]) -> Bool {
    switch (ContentCheck.isBigEndian(beginning[...]), end.count, end.last) {
    case (false?, 2, 0?): end.first.map(Edges.isLineEnd) ?? false
    case (true?, 2, let last?): end.first == 0 && Edges.isLineEnd(last)
    case (nil, _, let last?): Edges.isLineEnd(last)
    default: false
    }
  }

  /// For a list whose form is not clear although its first lines were read once, when there was nothing else: what
  /// comes after line `line` was not read.
  package mutating func cutShort(behind line: Int) throws(KeyListError) -> ListEnding.CutShort {
    let sample = bytes[0..<bytes.count]
    var lines = SampleLines(sample, isWhole: !bytes.continues, firstLine: bytes.line)
    var end = sample.startIndex
    while let next = lines.next() { if next.number <= line { end = lines.position } }
    let read = bytes.position(of: end - sample.startIndex)
    let total = try bytes.total()
    return ListEnding.CutShort(line: line, read: read, end: total, total: total)
  }

  /// The next entry, nil at the end. Throws when the list is not text, is ambiguous, or cannot be read.
  package mutating func next() throws(KeyListError) -> KeyListEntry? {
    if format == nil { try detect() }
    let entry: KeyListEntry?
    let isUnsettled: Bool
    if text != nil {
      entry = try text?.next(&bytes)
      isUnsettled = text?.ending.isUnsettled == true
    } else if csv != nil {
      entry = try csv?.next(&bytes)
      isUnsettled = csv?.ending.isUnsettled == true
    } else {
      entry = try json?.next(&bytes)
      isUnsettled = json?.ending.isUnsettled == true
    }
    if entry == nil { total = try bytes.total() } else if !isUnsettled { settled += 1 }
    if bytes.isUTF16, case .invalid(var line) = entry, UTF16Source.isProbablyUTF8(line.text) {
      line.reason = .encoding
      return .invalid(line)
    }
    return entry
  }

  /// Before the first entry: has the other fields of a CSV list kept, and returns its header. Nil for another list.
  mutating func keepFields(most: Int) throws(KeyListError) -> CSVHeader? {
    try detect()
    guard let header = csv?.header else { return nil }
    csv?.kept = header.others(most: most)
    return header
  }

  /// The fields that are kept of the latest key.
  var fields: [[UInt8]] { csv?.fields ?? [] }

  private mutating func detect() throws(KeyListError) {
    try bytes.fill()
    try ContentCheck.check(bytes[0..<bytes.count])
    if let isBigEndian = ContentCheck.isBigEndian(bytes[0..<bytes.count]) {
      bytes.becomeUTF16(isBigEndian: isBigEndian)
    } else if bytes.starts(with: Edges.byteOrderMark) {
      bytes.skipByteOrderMark()
    }
    try skipComments()
    switch try FormatDetection.form(
      of: bytes[0..<bytes.count], isWhole: !bytes.continues, firstLine: bytes.line)
    {
    case .text(let layout, let header):
      format = .text(layout)
      text = TextScanner(layout: layout, header: header)
    case .csv(let header):
      format = .csv(column: header.name, number: header.column, separator: header.separator)
      csv = CSVScanner(header: header)
    case .json:
      let (member, holder) = try JSONScanner.survey(of: bytes[0..<bytes.count])
      format = .json(member: holder ?? member)
      json = JSONScanner()
      json?.holder = holder
    }
  }

  /// Skips the comments and blank lines at the beginning, which may be longer than the visible bytes.
  private mutating func skipComments() throws(KeyListError) {
    while true {
      try bytes.fill()
      guard bytes.count > 0 else { return }
      let line = Edges.trimmed(bytes[0..<(bytes.lineEnd()?.lowerBound ?? min(bytes.count, 256))])
      guard line.isEmpty || line.first == UInt8(ascii: "#") else { return }
      if line.isEmpty, bytes.lineEnd() == nil { return }
      // A text list is read from it on.
      if TextHeading(comment: CleanText.clean(line)) != nil { return }
      if !line.isEmpty, CSVHeader(signAt: bytes[0..<bytes.count], isWhole: !bytes.continues) != nil { return }
      try bytes.skipLine()
    }
  }
}
