/// Cuts a JSON list into tokens, streamed: a string of a gigabyte costs as little memory as a short one.
struct JSONTokens {
  enum Kind: Hashable {
    case beginObject, endObject, beginArray, endArray, colon, comma, string
    /// A number, `true`, `false` or `null`.
    case scalar
    /// Not JSON, up to the next white space, separator, bracket or quote.
    case garbage
    /// A string that is cut off by the end of its line.
    case openString
    /// The end of the list.
    case end
  }

  struct Token {
    var kind: Kind
    /// The line on which it begins, from 1.
    var line: Int
    /// True when nothing comes before it on its line, not even a space.
    var isAtMargin: Bool
  }

  /// Comes before each value of a JSON text sequence (RFC 7464).
  static let recordSeparator: UInt8 = 0x1e

  /// The content of the latest string, escapes resolved, or the text of the latest scalar or garbage.
  private(set) var text: [UInt8] = []
  /// True when `text` was longer than the part that is kept.
  private(set) var isCut = false

  /// True while only white space comes before the window's start on its line, and while not even that does.
  private var isFirst: Bool
  private var isAtMargin: Bool

  /// `isInLine` says that something comes before the first token on its line.
  init(isInLine: Bool = false) {
    (isFirst, isAtMargin) = (!isInLine, !isInLine)
  }

  /// The latest token as it was in the list.
  func shown(_ token: Token) -> [UInt8] {
    switch token.kind {
    case .beginObject: [UInt8(ascii: "{")]
    case .endObject: [UInt8(ascii: "}")]
    case .beginArray: [UInt8(ascii: "[")]
    case .endArray: [UInt8(ascii: "]")]
    case .colon: [UInt8(ascii: ":")]
    case .comma: [UInt8(ascii: ",")]
    case .string: [UInt8(ascii: "\"")] + text + [UInt8(ascii: "\"")]
    case .openString: [UInt8(ascii: "\"")] + text
    case .scalar, .garbage: text
    case .end: []
    }
  }

  mutating func next(_ bytes: inout ListBytes) throws(KeyListError) -> Token {
    try skipSpace(&bytes)
    let line = bytes.line
    let isAtMargin = isAtMargin
    (self.isAtMargin, isFirst) = (false, false)
    if bytes.count == 0 { return Token(kind: .end, line: line, isAtMargin: isAtMargin) }
    let kind: Kind
    switch bytes[0] {
    case UInt8(ascii: "\""): kind = try string(&bytes)
    case UInt8(ascii: "{"): kind = mark(.beginObject, &bytes)
    case UInt8(ascii: "}"): kind = mark(.endObject, &bytes)
    case UInt8(ascii: "["): kind = mark(.beginArray, &bytes)
    case UInt8(ascii: "]"): kind = mark(.endArray, &bytes)
    case UInt8(ascii: ":"): kind = mark(.colon, &bytes)
    case UInt8(ascii: ","): kind = mark(.comma, &bytes)
    default: kind = try word(&bytes)
    }
    return Token(kind: kind, line: line, isAtMargin: isAtMargin)
  }

  private func mark(_ kind: Kind, _ bytes: inout ListBytes) -> Kind {
    bytes.advance(1)
    return kind
  }

  /// Whether the next token is this character. A string before a colon was the name of a member.
  mutating func isBefore(_ mark: UInt8, _ bytes: inout ListBytes) throws(KeyListError) -> Bool {
    try skipSpace(&bytes)
    return bytes.count > 0 && bytes[0] == mark
  }

  /// Moves to the next token, also past comments, fences of Markdown, terminal colours and byte order marks (which
  /// joined files have in the middle).
  private mutating func skipSpace(_ bytes: inout ListBytes) throws(KeyListError) {
    var isBehindSpace = isFirst
    while true {
      try bytes.fill()
      guard bytes.count > 0 else { return }
      switch bytes[0] {
      case UInt8(ascii: "\n"), UInt8(ascii: "\r"):
        let isPair = bytes[0] == UInt8(ascii: "\r") && bytes.count > 1 && bytes[1] == UInt8(ascii: "\n")
        bytes.advance(isPair ? 2 : 1, lines: 1)
        (isFirst, isAtMargin, isBehindSpace) = (true, true, true)
      case let byte where Edges.isSpace(byte):
        bytes.advance(1)
        (isAtMargin, isBehindSpace) = (false, true)
      case Self.recordSeparator: bytes.advance(1)
      case Edges.byteOrderMark[0] where bytes.starts(with: Edges.byteOrderMark):
        bytes.advance(Edges.byteOrderMark.count)
      case 0x1b:
        let length = CleanText.escapeSequence(bytes[0..<min(bytes.count, 40)])
        if length == 0 { return }
        bytes.advance(length)
      case UInt8(ascii: "/") where bytes.starts(with: Array("/*".utf8)):
        guard let length = CleanText.blockComment(bytes[0..<bytes.count]) else { return }
        bytes.advance(length, lines: CSVField.lineEnds(in: bytes[0..<length]))
        isAtMargin = false
      case UInt8(ascii: "`") where isFirst && Edges.isRule(bytes[0..<(bytes.lineEnd()?.lowerBound ?? bytes.count)]):
        try bytes.skipLine()
        (isFirst, isAtMargin) = (true, true)
      case UInt8(ascii: "#"), UInt8(ascii: "/"):
        guard isBehindSpace, beginsComment(&bytes) else { return }
        try bytes.skipLine()
        (isFirst, isAtMargin) = (true, true)
      default: return
      }
    }
  }

  /// JSON has no comments, but lists that people keep by hand do: `#` or `//` at the beginning of a line, or after
  /// white space when no quote follows on the line, so that no comment hides a value.
  private func beginsComment(_ bytes: inout ListBytes) -> Bool {
    guard bytes[0] == UInt8(ascii: "#") || bytes.starts(with: Array("//".utf8)) else { return false }
    if isFirst { return true }
    guard let end = bytes.lineEnd() else { return false }
    return !bytes[0..<end.lowerBound].contains(UInt8(ascii: "\""))
  }

  // MARK: Words

  private mutating func word(_ bytes: inout ListBytes) throws(KeyListError) -> Kind {
    begin()
    scan: while true {
      try bytes.fill()
      let count = bytes.count
      if count == 0 { break }
      var offset = 0
      while offset < count {
        let byte = bytes[offset]
        if Self.endsWord(byte) {
          keep(bytes[0..<offset])
          bytes.advance(offset)
          break scan
        }
        offset += 1
      }
      keep(bytes[0..<offset])
      bytes.advance(offset)
    }
    return !isCut && Self.isScalar(text) ? .scalar : .garbage
  }

  private static func endsWord(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "{"), UInt8(ascii: "}"), UInt8(ascii: "["), UInt8(ascii: "]"),
      UInt8(ascii: ":"), UInt8(ascii: ","):
      true
    default: Edges.isSpace(byte)
    }
  }

  /// Numbers are recognised by their characters only: whatever their value, they are not key ids.
  private static func isScalar(_ text: [UInt8]) -> Bool {
    if ["null", "true", "false"].contains(where: { text.elementsEqual($0.utf8) }) { return true }
    guard let first = text.first, first == UInt8(ascii: "-") || isDigit(first) else { return false }
    return text.allSatisfy { byte in isDigit(byte) || "+-.eE".utf8.contains(byte) }
  }

  private static func isDigit(_ byte: UInt8) -> Bool {
    (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
  }

  // MARK: Strings

  private mutating func string(_ bytes: inout ListBytes) throws(KeyListError) -> Kind {
    begin()
    bytes.advance(1)
    while true {
      try bytes.fill()
      let count = bytes.count
      if count == 0 { return .openString }
      var offset = 0
      plain: while offset < count {
        switch bytes[offset] {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "\n"), UInt8(ascii: "\r"): break plain
        default: offset += 1
        }
      }
      keep(bytes[0..<offset])
      bytes.advance(offset)
      if offset == count { continue }
      switch bytes[0] {
      case UInt8(ascii: "\""):
        bytes.advance(1)
        return .string
      case UInt8(ascii: "\\"):
        guard try escape(&bytes) else { return .openString }
      default:
        return .openString
      }
    }
  }

  /// Resolves the escape at the window's start. False when it is cut off by the end of the line or the list.
  private mutating func escape(_ bytes: inout ListBytes) throws(KeyListError) -> Bool {
    try bytes.fill()
    guard bytes.count >= 2, bytes[1] != UInt8(ascii: "\n"), bytes[1] != UInt8(ascii: "\r") else {
      bytes.advance(1)
      return false
    }
    let (resolved, length) = JSONEscape.resolve(bytes[0..<min(bytes.count, 12)])
    keep(resolved[...])
    bytes.advance(length)
    return true
  }

  // MARK: Text

  private mutating func begin() {
    text.removeAll(keepingCapacity: true)
    isCut = false
  }

  private mutating func keep(_ part: ArraySlice<UInt8>) {
    let room = InvalidLine.excerptBytes - text.count
    if part.count > room { isCut = true }
    text += part.prefix(room)
  }
}

extension JSONTokens.Kind {
  var beginsValue: Bool {
    switch self {
    case .string, .scalar, .beginArray, .beginObject: true
    default: false
    }
  }
}
