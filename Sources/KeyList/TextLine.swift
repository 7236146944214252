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
  /// The position of the first id among the words, from 0.
  private(set) var place = 0
  /// True when a word names another (`id: …`, `name=…`), so that an id beside it has a meaning that we cannot guess, or
  /// contains an id among other characters.
  private(set) var hasNames = false
  /// The line without invisible characters (`CleanText`).
  private(set) var text: ArraySlice<UInt8>

  static func read(_ line: ArraySlice<UInt8>) -> Content {
    let text = Edges.trimmed(CleanText.clean(line))
    guard let first = text.first, first != UInt8(ascii: "#"), !Edges.isRule(text) else { return .nothing }
    return .words(TextLine(text))
  }

  private init(_ text: ArraySlice<UInt8>) {
    self.text = text
    if let id = KeyIDText.id(text) {
      ids = [id]
      words = 1
      return
    }
    var start = text.startIndex
    let peeled = Edges.peeled(text)
    for position in peeled.indices where Self.isSeparator(peeled[position]) {
      guard add(peeled[max(start, peeled.startIndex)..<position]) else { return }
      start = position + 1
    }
    _ = add(peeled[max(start, peeled.startIndex)...])
  }

  /// False for a word that begins a comment.
  private mutating func add(_ word: ArraySlice<UInt8>) -> Bool {
    guard let first = word.first else { return true }
    if first == UInt8(ascii: "#"), words > 0 { return false }
    if let id = KeyIDText.id(word) {
      if ids.isEmpty { place = words }
      ids.append(id)
    } else if word.last == UInt8(ascii: ":") || word.contains(UInt8(ascii: "="))
      || KeyIDText.holdsID(word)
    {
      hasNames = true
    }
    words += 1
    return true
  }

  /// Whether the line contains only ids.
  var isIDs: Bool { ids.count == words && words > 0 }

  static func isSeparator(_ byte: UInt8) -> Bool {
    ",;|".utf8.contains(byte) || Edges.isSpace(byte)
  }
}
