import Registration

/// One line of a text list, cut into words: some of them are ids.
struct TextLine {
  enum Content {
    /// Nothing, a comment, or a line drawn in a table.
    case nothing
    case words(TextLine)
  }

  /// Separated by commas, semicolons, vertical bars, tabs or spaces.
  private(set) var words = 0
  private(set) var ids: [AppKeyID] = []
  /// The positions of the ids among the words, from 0.
  private(set) var places: [Int] = []
  /// True when a word names another (`id: …`, `name=…`), so that an id beside it has a meaning that we cannot guess, or
  /// contains an id among other characters.
  private(set) var hasNames = false
  /// The type of a resource that is no application key, if the line has its address: `datadog_user.jane`.
  private(set) var otherResource: String?
  /// The words that are no ids.
  private(set) var names: [ArraySlice<UInt8>] = []
  /// The word before the first id.
  private(set) var label: ArraySlice<UInt8>?
  /// The line without invisible characters (`CleanText`) and tags (`HTMLTags`).
  private(set) var text: ArraySlice<UInt8>
  /// The same with the tabs and spaces around it, which may part empty fields.
  let row: ArraySlice<UInt8>

  static func read(_ line: ArraySlice<UInt8>) -> Content {
    let row = HTMLTags.removed(from: CleanText.clean(line))
    let text = Edges.trimmed(row)
    guard let first = text.first, first != UInt8(ascii: "#"), !Edges.isRule(text) else { return .nothing }
    return .words(TextLine(text, row: row))
  }

  private init(_ text: ArraySlice<UInt8>, row: ArraySlice<UInt8>) {
    (self.text, self.row) = (text, row)
    if let id = KeyIDText.id(text) {
      ids = [id]
      places = [0]
      words = 1
      return
    }
    let peeled = Edges.peeled(Edges.trimmed(text[..<(Self.comment(in: text) ?? text.endIndex)]))
    var start = peeled.startIndex
    for position in peeled.indices where Self.isSeparator(peeled[position]) {
      add(peeled[start..<position])
      start = position + 1
    }
    add(peeled[start...])
  }

  private mutating func add(_ word: ArraySlice<UInt8>) {
    if word.isEmpty { return }
    if let id = KeyIDText.id(word) {
      if ids.isEmpty { label = names.last }
      places.append(words)
      ids.append(id)
      words += 1
      return
    }
    names.append(word)
    if word.last == UInt8(ascii: ":") || word.contains(UInt8(ascii: "="))
      || KeyIDText.holdsID(word)
    {
      hasNames = true
    }
    if let type = ResourceAddress.otherType(in: word) { otherResource = type }
    words += 1
  }

  /// Where a comment begins with `#` or `//` after a word.
  static func comment(in text: ArraySlice<UInt8>) -> Int? {
    text.indices.dropFirst().first { place in
      isSeparator(text[place - 1]) && (text[place] == UInt8(ascii: "#") || text[place...].starts(with: "//".utf8))
    }
  }

  /// The id in `column`, counted from 1, or from -1 for the last word.
  func id(inColumn column: Int) -> AppKeyID? {
    let place = column > 0 ? column - 1 : words + column
    return places.firstIndex(of: place).map { ids[$0] }
  }

  /// Whether the word before the first id is a name of the ids of something else: `--user-id …`.
  var isLabelledOther: Bool {
    // Most words are the names of keys.
    guard let last = label?.last, "dDsS".utf8.contains(last) else { return false }
    return IDName.isOfOtherIDs(Array(label ?? []))
  }

  /// Empty fields before the first word, such as that of a row with `,…`.
  var gaps: Int { text.prefix { ",;|".utf8.contains($0) }.count }

  /// Whether the line contains only ids.
  var isIDs: Bool { ids.count == words && words > 0 }

  static func isSeparator(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: ","), UInt8(ascii: ";"), UInt8(ascii: "|"): true
    default: Edges.isSpace(byte)
    }
  }
}
