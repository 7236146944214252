/// A bracket alone on its line, as around the ids of a list that a program printed. A pair of them contains no keys and is
/// no damage; one that nothing closes may be what is left of something else.
struct LoneBracket: Hashable {
  /// The line, from 1.
  let line: Int
  private let byte: UInt8

  /// Nil when `text`, a line without invisible characters, is anything else. A separator and a comment may follow.
  init?(_ text: ArraySlice<UInt8>, line: Int) {
    guard let byte = text.first, Self.pairs.contains(where: { $0.open == byte || $0.close == byte }),
      case let rest = text.dropFirst().drop(while: TextLine.isSeparator),
      rest.isEmpty || rest.first == UInt8(ascii: "#")
    else { return nil }
    self.line = line
    self.byte = byte
  }

  var isOpening: Bool { Self.pairs.contains { $0.open == byte } }

  func closes(_ other: LoneBracket) -> Bool {
    Self.pairs.contains { $0.open == other.byte && $0.close == byte }
  }

  var unclosed: InvalidLine {
    InvalidLine(line: line, bytes: [byte], reason: .notAnID(.openBracket))
  }

  private static let pairs = ["[]", "{}", "()"].map { pair in
    (open: pair.utf8.first ?? 0, close: pair.utf8.last ?? 0)
  }
}
