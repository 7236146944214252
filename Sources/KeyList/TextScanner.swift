import Registration

/// Reads a list of ids separated by line ends or by commas, semicolons, tabs or spaces. Blank lines and `#` comments,
/// also after an id, are skipped.
struct TextScanner {
  let layout: TextLayout
  let header: HeaderGuess
  private(set) var ending = ListEnding()
  /// The ids of a line that are still to be returned, the next one last, and the line's number.
  private var ids: [AppKeyID] = []
  private var line = 0
  /// What is to be reported behind the key of the same line.
  private var remark: KeyListEntry?
  /// True after the ids of a line of which only the beginning was visible.
  private var isInLine = false
  /// The bracket around the lines that are read.
  private var bracket: LoneBracket?
  private var headings = HeadingStack()
  private var recordType = RecordType()
  /// A database has printed the lines as records.
  private var isInRecord = false
  private var isBelowOther: Bool { headings.isBelowOther }

  init(layout: TextLayout, header: HeaderGuess) {
    self.layout = layout
    self.header = header
  }

  mutating func next(_ bytes: inout ListBytes) throws(KeyListError) -> KeyListEntry? {
    while true {
      if let id = ids.popLast() { return .key(id, line: line) }
      if let entry = remark.take() { return entry }
      try bytes.fill()
      if bytes.count == 0 { return unclosedBracket() }
      let end = bytes.lineEnd()
      if end == nil, bytes.continues {
        if let entry = try overlong(&bytes) { return entry }
        continue
      }
      let content = bytes[0..<(end?.lowerBound ?? bytes.count)]
      line = bytes.line
      let entry: KeyListEntry?
      if !isBelowOther, let id = KeyIDBytes.id(content) ?? plainRow(content) {
        entry = .key(id, line: line)
      } else {
        entry = self.entry(content, below: bytes[(end?.upperBound ?? bytes.count)..<bytes.count])
      }
      if let end {
        bytes.advance(end.upperBound, lines: 1)
      } else {
        if entry != nil { ending.touchEnd() }
        bytes.advance(bytes.count)
      }
      isInLine = false
      if let entry { return entry }
    }
  }

  /// The id of a row that means the same whatever its words are.
  private func plainRow(_ content: ArraySlice<UInt8>) -> AppKeyID? {
    guard headings.last == nil else { return nil }
    return switch layout {
    case .column(1): PlainRow.id(content)
    case .field(let field) where field.number == 0: PlainRow.id(content, separator: field.separator)
    default: nil
    }
  }

  private mutating func entry(_ content: ArraySlice<UInt8>, below: ArraySlice<UInt8>) -> KeyListEntry? {
    guard case .words(let words) = TextLine.read(content) else {
      if Edges.trimmed(content).isEmpty { recordType.note([], named: nil) }
      if Edges.isRecordRule(Edges.trimmed(content)) { isInRecord = true }
      headings.note(comment: content)
      return nil
    }
    if let inner = headings.last?.lastLine(in: content) {
      let depth = headings.depth
      defer { headings.leave(from: depth) }
      return entry(inner, below: below)
    }
    var isProperty = isInRecord && isField(words)
    if words.ids.count < words.words || headings.isNested {
      let indent = content.prefix(while: Edges.isSpace).count
      let named = TextHeading(words.text, indent: indent) ?? titles(words)
      if let named, self.isProperty(named, words) { isProperty = true }
      headings.leave(at: indent, isNamed: named.map { $0.indent == indent } ?? false)
      if case .name = layout { recordType.note(words.text, named: named) }
      if let named, let found = ids(of: named) {
        guard case .name = layout, let other = recordType.other(of: named, below: below) else { return keys(found) }
        return invalid(content, .other(.type(other)))
      }
      if let named, named.closing != nil {
        let isNew = headings.note(named)
        if named.meaning == .keys || named.name.isEmpty { return nil }
        if isBelowOther, isNew { return invalid(content, .unclear(.otherHeading(named.shownName))) }
      } else if headings.close(by: words.text) {
        return nil
      }
    }
    if !words.ids.isEmpty, let thing = otherThing(words) { return invalid(content, .other(thing)) }
    if let entry = entry(inColumnOf: words, content) { return entry }
    if line == 1, SeparatorLine(words.text) != nil { return nil }
    if header == .titles(line) { return nil }
    if isProperty || passes(LoneBracket(words.text, line: line)) { return nil }
    let reason = reason(for: words)
    if header == .undecided(line) { ending.isUnsettled = true }
    return invalid(content, reason)
  }

  /// Whether a line is about the record around it (`Owner : Bob`), and has no id, not even a damaged one.
  private func isProperty(_ named: TextHeading, _ words: TextLine) -> Bool {
    guard !named.name.isEmpty, named.idRank == nil, named.meaning != .keys, words.ids.isEmpty else { return false }
    if case .name = layout {} else if !isInRecord, !headings.isBelowKeys { return false }
    return !KeyIDText.holdsID(words.text) && SecretText.kind(in: words.text) == nil
  }

  /// Whether a line of a database's record (`name | x`) has neither an id nor the name of one.
  private func isField(_ words: TextLine) -> Bool {
    guard words.ids.isEmpty, let bar = words.text.firstIndex(of: UInt8(ascii: "|")),
      TextHeading.idRank(of: Edges.trimmed(words.text[..<bar])) == nil
    else { return false }
    return !KeyIDText.holdsID(words.text) && SecretText.kind(in: words.text) == nil
  }

  /// The keys of a line in the place that the layout says.
  private mutating func entry(inColumnOf words: TextLine, _ content: ArraySlice<UInt8>) -> KeyListEntry? {
    switch layout.reading(of: words) {
    case .ids(let ids): return keys(ids)
    case .id(let id, let column):
      if words.ids.count > 1 { remark = invalid(content, .unclear(.idForName(takenColumn: column))) }
      return .key(id, line: line)
    case .invalid(let reason): return invalid(content, reason)
    case nil: return nil
    }
  }

  /// The titles of another table, below a first one or a list.
  private func titles(_ words: TextLine) -> TextHeading? {
    if layout.hasColumns, let titles = TextHeading(titles: words) { return titles }
    return TextHeading(header: words)
  }

  /// Why the ids of a line are those of something else, nil when nothing says so.
  private func otherThing(_ words: TextLine) -> OtherThing? {
    if isBelowOther, let heading = headings.last { return .below(heading.shownName) }
    if words.isLabelledOther, let label = words.label {
      return .behind(InvalidLine.shown(label, characters: 40))
    }
    return words.otherResource.map { .resource($0) }
  }

  private mutating func keys(_ found: [AppKeyID]) -> KeyListEntry? {
    ids = found.reversed()
    return ids.popLast().map { .key($0, line: line) }
  }

  private func invalid(_ content: ArraySlice<UInt8>, _ reason: InvalidReason) -> KeyListEntry {
    .invalid(InvalidLine(line: line, bytes: Edges.trimmed(content), reason: reason))
  }

  /// The ids on the line of a name of application keys, nil when there is anything else. Below the name of something
  /// else, only the most specific names count.
  private func ids(of named: TextHeading) -> [AppKeyID]? {
    guard named.meaning == .keys ? !isBelowOther || named.isSpecific : isIDName(named) else { return nil }
    return named.ids
  }

  /// Whether `id: …` names a key: the whole list has such names, or it is below the name of application keys. Below a
  /// name of their ids, any name is that of a key.
  private func isIDName(_ named: TextHeading) -> Bool {
    guard named.meaning == .unknown, !isBelowOther else { return false }
    if headings.last?.meaning == .keys, headings.last?.isOfIDs == true { return true }
    guard let rank = named.idRank else { return false }
    if case .name(let name) = layout, TextHeading.idRank(of: Array(name.utf8)[...]) == rank { return true }
    return headings.last?.meaning == .keys
  }

  /// Whether a line is one of a pair of brackets, as far as is known.
  private mutating func passes(_ found: LoneBracket?) -> Bool {
    guard let found else { return false }
    guard let open = bracket else {
      if found.isOpening { bracket = found }
      return found.isOpening
    }
    guard found.closes(open) else { return false }
    bracket = nil
    return true
  }

  /// What follows may still close it.
  private mutating func unclosedBracket() -> KeyListEntry? {
    guard let open = bracket.take() else { return nil }
    ending.isUnsettled = true
    return .invalid(open.unclosed)
  }

  private func reason(for words: TextLine) -> InvalidReason {
    if isInLine { return .notAnID(.restOfLongLine) }
    if let named = TextHeading(words.text), !named.name.isEmpty, SecretText.kind(in: words.text) == nil,
      case .words(let values) = TextLine.read(named.rest), values.isIDs
    {
      return named.meaning == .other ? .other(.named(named.shownName)) : .unclear(.unknownName(named.shownName))
    }
    if words.words > 1, words.ids.count > 1 {
      return .notAnID(.severalIDs(words.ids.count))
    }
    if words.ids.count == 1, let label = words.label, IDName.meaning(of: Array(label), isLabel: true) == .other {
      return .other(.behind(InvalidLine.shown(label, characters: 40)))
    }
    if words.words > 1, words.ids.count == 1 { return .notAnID(.moreThanIDInColumns) }
    let text = Edges.peeled(words.text)
    return .notAnID(text.isEmpty ? .emptyQuotes : KeyIDText.flaw(in: text))
  }

  /// Takes the ids from a line that is longer than the visible bytes, and stops at anything else.
  private mutating func overlong(_ bytes: inout ListBytes) throws(KeyListError) -> KeyListEntry? {
    let sight = bytes[0..<bytes.count]
    line = bytes.line
    if Edges.trimmed(sight).first == UInt8(ascii: "#"), !isInLine {
      try bytes.skipLine()
      return nil
    }
    if let cut = sight.lastIndex(where: TextLine.isSeparator), case .words(let words) = TextLine.read(sight[..<cut]),
      words.isIDs, !isBelowOther
    {
      ids = words.ids.reversed()
      bytes.advance(cut + 1 - sight.startIndex)
      isInLine = true
      return nil
    }
    let entry = KeyListEntry.invalid(
      InvalidLine(
        line: bytes.line, bytes: sight.prefix(InvalidLine.excerptBytes), isCut: true,
        reason: .notAnID(isInLine ? .restOfLongLine : .longLine)))
    if try !bytes.skipLine() { ending.touchEnd() }
    isInLine = false
    return entry
  }
}

/// Whether the first line of a text list may still prove to be a header without a known name. Such a header rejects the
/// list (`CSVHeader.unknown`).
enum HeaderGuess: Hashable {
  case no
  /// The line of this number is the only one.
  case undecided(Int)
  /// The line of this number has the titles of columns that are aligned with spaces.
  case titles(Int)
}
