import Registration

/// A name in a text list, and what it says about the ids after it: on its line (`APP_KEY_ID=…`, `app_key_ids: [a, b]`),
/// or on the following ones (`user_ids:`, `app_key_ids = tolist([`).
///
/// Configuration files and the output of programs have such names. Only names of application keys are good for an id on
/// their line; below the name of something else, no line counts. What a name means is in `IDName`.
struct TextHeading {
  /// As spelled in the list.
  let name: ArraySlice<UInt8>
  private(set) var meaning: IDName.Meaning
  /// True for a name of application keys that cannot be that of other keys.
  let isSpecific: Bool
  /// Columns before the name; in YAML, more of them belong to an earlier name.
  let indent: Int
  /// What comes after the name and its sign.
  let rest: ArraySlice<UInt8>
  /// The brackets that close what the line opens, such as `])`. Nil when it holds more than opening brackets.
  let closing: [UInt8]?

  static let longestName = 60

  /// Nil when `text`, a line without invisible characters, is none of these: a name with a sign after it, a section
  /// (`[users]`), the beginning of a Terraform list or resource, or, alone on its line, the name of keys or of something
  /// else.
  ///
  /// - Parameter indent: White space before `text`, in bytes.
  init?(_ text: ArraySlice<UInt8>, indent: Int = 0) {
    self.indent = indent + (text.first == UInt8(ascii: "-") ? 2 : 0)
    if let block = Self.block(text) {
      (name, meaning) = block
      (rest, closing, isSpecific) = ([UInt8(ascii: "{")], [UInt8(ascii: "}")], false)
      return
    }
    if let element = Self.element(text) {
      (name, rest, closing) = (element.name, [], element.closing)
      isSpecific = IDName.isOfOneKey(Array(name))
      meaning = Self.meaning(of: Array(name))
      return
    }
    let text = Self.undecorated(text)
    let isSection = text.first == UInt8(ascii: "[") && text.last == UInt8(ascii: "]")
    var start = isSection || text.first == UInt8(ascii: "*") ? Edges.peeled(Self.withoutBrackets(text)) : text
    while let word = Self.introductions.first(where: { start.starts(with: $0) }) {
      start = Edges.trimmed(start.dropFirst(word.count))
    }
    if let sign = Self.sign(in: start) {
      name = Self.withoutType(Edges.peeled(start[..<sign.lowerBound]))
      guard !name.isEmpty, name.allSatisfy(Self.isNameByte), KeyIDBytes.id(name) == nil else { return nil }
      rest = Edges.trimmed(start[sign.upperBound...])
    } else if isSection || Self.isTitle(start) {
      (name, rest) = (isSection ? Self.section(start) : Edges.peeled(start), [])
      guard name.count <= Self.longestName, name.allSatisfy(Self.isNameByte) else { return nil }
    } else {
      (name, rest) = ([], start)
      guard (Self.functions + [Self.slice]).contains(where: { start.starts(with: $0.utf8) }) else { return nil }
    }
    isSpecific = IDName.isOfOneKey(Array(name))
    meaning = isSpecific ? .keys : Self.meaning(of: Array(name))
    closing = Self.closing(rest)
  }

  /// The titles of another table, which spaces align, below a first one. Nil for any other line.
  init?(titles line: TextLine) {
    guard line.ids.isEmpty, line.text.count <= 400 else { return nil }
    let titles = CSVHeader.titles(in: line.text)
    guard titles.count > 1 else { return nil }
    let meanings = titles.map { Self.meaning(of: $0) }
    let isOfKeys = titles.contains { CSVHeader.rank(of: $0) != nil }
    guard isOfKeys || meanings.contains(.other) else { return nil }
    name = (isOfKeys ? titles[0] : meanings.firstIndex(of: .other).map { titles[$0] } ?? [])[...]
    (meaning, isSpecific, indent, rest, closing) = (isOfKeys ? .keys : .other, isOfKeys, 0, [], [])
  }

  /// The header of a table that has ids of something else, in a list that is not a table: below it, no id counts. Nil for
  /// any other line.
  init?(header line: TextLine) {
    guard line.ids.isEmpty, line.text.count <= 400, CSVHeader.hasOtherIDs(line.text) else { return nil }
    (name, meaning, isSpecific, indent, rest, closing) = (line.text, .other, false, 0, [], [])
  }

  /// The heading in a comment that is nothing but the name of something else, as in Markdown (`## Users`), or of keys,
  /// which ends it. Nil for any other comment.
  init?(comment text: ArraySlice<UInt8>) {
    let words = Edges.trimmed(text.drop { $0 == UInt8(ascii: "#") })
    guard let heading = TextHeading(words), heading.closing != nil,
      heading.meaning != .unknown || IDName.endsInKey(Array(heading.name))
    else { return nil }
    self = heading
  }

  /// The sign between a name and its value. A vertical bar is one behind a name that says something, as a database shows
  /// records; in other lines it separates columns.
  private static func sign(in text: ArraySlice<UInt8>) -> Range<Int>? {
    let start = text.prefix(longestName)
    if let sign = start.firstIndex(where: { ":=".utf8.contains($0) }) {
      return sign..<sign + (text[sign...].starts(with: ":=".utf8) ? 2 : 1)
    }
    if text.suffix(2).elementsEqual("->".utf8) { return text.endIndex - 2..<text.endIndex }
    guard let bar = start.firstIndex(of: UInt8(ascii: "|")), case let name = Array(Edges.trimmed(start[..<bar])),
      CSVHeader.rank(of: name) != nil || meaning(of: name) != .unknown
    else { return nil }
    return bar..<bar + 1
  }

  /// `name` without a type before it, such as `String[] ` or `List<String> `.
  private static func withoutType(_ name: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
    guard !name.allSatisfy(isNameByte), let space = name.lastIndex(of: UInt8(ascii: " ")),
      name[..<space].allSatisfy({ isNameByte($0) || "[]<>".utf8.contains($0) })
    else { return name }
    return name[(space + 1)...]
  }

  /// `text` without the outer brackets of a table in TOML (`[[keys]]`).
  private static func withoutBrackets(_ text: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
    text.starts(with: "[[".utf8) && text.suffix(2).elementsEqual("]]".utf8) ? text.dropFirst().dropLast() : text
  }

  /// Whether it is a name of somebody to whom a thing belongs, with a value on its line: `Owner: …`, `created_by: …`.
  var isOfRelation: Bool { closing == nil && IDName.isRelation(Array(name)) }

  /// Whether it is a state with a value on its line: `error: …`.
  var isOfState: Bool { closing == nil && IDName.isState(Array(name)) }

  /// Whether it is a name of ids: `app_key_ids`.
  var isOfIDs: Bool { NameWords(Array(name)).words.last.map { NameWords.ids.contains($0.text) } ?? false }

  /// The rank of the name among those of ids (`CSVHeader`), in the singular; nil for any other name.
  var idRank: Int? { Self.idRank(of: name) }

  static func idRank(of name: ArraySlice<UInt8>) -> Int? {
    if let rank = CSVHeader.rank(of: Array(name)) { return rank }
    return name.last.map { $0 | 0x20 } == UInt8(ascii: "s") ? CSVHeader.rank(of: Array(name.dropLast())) : nil
  }

  /// Whether its line names a key: `APP_KEY_ID=…`, `id: …`.
  var namesKey: Bool { (meaning == .keys || idRank != nil) && holdsID }

  /// Whether ids, and nothing else, are on the line.
  var holdsID: Bool { ids != nil }

  /// The ids on the line, nil when there is anything else.
  var ids: [AppKeyID]? {
    guard case .words(let words) = TextLine.read(rest), words.isIDs else { return nil }
    return words.ids
  }

  /// Whether it says that what it belongs to is something else: `type: users`.
  var saysOther: Bool {
    guard name.count == 4, ["type", "kind"].contains(String(decoding: name, as: UTF8.self).lowercased()) else {
      return false
    }
    return JSONType.isOther(named: Array(Edges.peeled(rest)))
  }

  /// Whether `line` closes what this line opened.
  func isClosed(by line: ArraySlice<UInt8>) -> Bool {
    guard let closing, !closing.isEmpty else { return false }
    return line.prefix(closing.count).elementsEqual(closing)
      && line.dropFirst(closing.count).allSatisfy(TextLine.isSeparator)
  }

  /// `line` without the quote behind its last word that closes what this line opened. Nil when there is none, or no word.
  func lastLine(in line: ArraySlice<UInt8>) -> ArraySlice<UInt8>? {
    closing.flatMap { OpenedText.lastLine(in: line, closedBy: $0) }
  }

  /// Whether the lines below this name belong to the earlier name `other`, too.
  func isInside(_ other: TextHeading) -> Bool { indent > other.indent || other.isBlock }

  /// Whether it opens a brace, which alone says what is inside, however the lines are indented.
  var isBlock: Bool { closing == [UInt8(ascii: "}")] }

  /// The same inside something else.
  var asOther: TextHeading {
    var heading = self
    heading.meaning = .other
    return heading
  }

  /// For display.
  var shownName: String { InvalidLine.shown(name, characters: 40) }

  /// What may come before a name in YAML, shells and programs.
  private static let introductions = ["- ", "* ", "export ", "set ", "const ", "let ", "var ", "$"].map {
    Array($0.utf8)
  }
  /// What names a section: in `[owner "x"]` the word before the quote, in `[key.owner]` the last part, if that is something
  /// else than keys.
  private static func section(_ text: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
    let quote = text.dropFirst().firstIndex(of: UInt8(ascii: "\""))
    let name = Edges.peeled(quote.map { Edges.trimmed(text[..<$0]) } ?? text)
    guard let dot = name.lastIndex(of: UInt8(ascii: ".")), meaning(of: Array(name[(dot + 1)...])) == .other else {
      return name
    }
    return name[(dot + 1)...]
  }

  static func meaning(of name: [UInt8]) -> IDName.Meaning {
    CSVHeader.rank(of: name) == 1 ? .keys : IDName.meaning(of: name, isLabel: true)
  }

  /// `text` without the marks of comments and headings around it: `=== Users ===`, `/* users */`, `; users`, and those of
  /// several files (`==> users.txt <==`).
  private static func undecorated(_ text: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
    guard let first = text.first, "=;/".utf8.contains(first) else { return text }
    let start = Edges.trimmed(text.drop { "=;/*>".utf8.contains($0) })
    let end = start.lastIndex { !"=/*<".utf8.contains($0) }
    return Edges.trimmed(start[..<(end.map { $0 + 1 } ?? start.startIndex)])
  }

  private static func isTitle(_ text: ArraySlice<UInt8>) -> Bool {
    // Most lines have an id.
    guard text.count <= longestName, !KeyIDText.holdsID(text),
      text.allSatisfy({ isNameByte($0) || "*\"'`,".utf8.contains($0) }),
      // Those of several columns are read elsewhere.
      !text.contains(Array("  ".utf8))
    else { return false }
    let name = Array(Edges.peeled(text))
    return meaning(of: name) != .unknown || IDName.endsInKey(name)
  }

  static func isNameByte(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "z"),
      UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "_"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: " "):
      true
    default: byte >= 0x80 || "()/&'@".utf8.contains(byte)
    }
  }
}
