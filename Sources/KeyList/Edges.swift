/// Characters around a value in lists from editors, spreadsheets, shells and programs that are not part of it.
enum Edges {
  /// `text`, which is clean (`CleanText`), without surrounding white space, a trailing comma or semicolon, a bullet or
  /// mark of quoted mail, pairs of quotes, brackets or Markdown's marks, `urn:uuid:`, and the marks of text in a
  /// spreadsheet (`="…"`, `'…`), in any order.
  static func peeled(_ text: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
    var text = trimmed(text)
    while let first = text.first, let last = text.last {
      if last == UInt8(ascii: ",") || last == UInt8(ascii: ";") {
        text.removeLast()
      } else if text.count >= 2, last == closing(first),
        !text.dropFirst().dropLast().contains(where: { $0 == first || $0 == last })
      {
        text = text.dropFirst().dropLast()
      } else if text.count >= 2,
        first == UInt8(ascii: ">") || isSpace(text[text.startIndex + 1]) && "-*+".utf8.contains(first)
      {
        text.removeFirst()
      } else if text.count > 9, text.prefix(9).elementsEqual("urn:uuid:".utf8, by: { $0 | 0x20 == $1 | 0x20 }) {
        text.removeFirst(9)
      } else if let inner = goSlice(text) ?? listItem(text) {
        text = inner
      } else if let width = emphasis(text) {
        text = text.dropFirst(width).dropLast(width)
      } else if text.count == 37, ".:!\\".utf8.contains(last) {
        // The end of a sentence, the name in YAML, a line that continues in a shell.
        text.removeLast()
      } else if text.starts(with: "=\"".utf8) || text.count == 37 && first == UInt8(ascii: "'") {
        text.removeFirst()
      } else {
        return text
      }
      text = trimmed(text)
    }
    return text
  }

  /// How many of Markdown's marks (`**…**`, `__…__`) surround `text`; nil for none.
  private static func emphasis(_ text: ArraySlice<UInt8>) -> Int? {
    guard let mark = text.first, "*_".utf8.contains(mark) else { return nil }
    let width = text.prefix { $0 == mark }.count
    let inner = text.dropFirst(width).dropLast(width)
    guard !inner.isEmpty, !inner.contains(mark), text.suffix(width).allSatisfy({ $0 == mark }) else { return nil }
    return width
  }

  /// What is in `[]string{…}`, as Go prints and reads a slice; nil for anything else.
  private static func goSlice(_ text: ArraySlice<UInt8>) -> ArraySlice<UInt8>? {
    guard text.starts(with: "[]".utf8), text.last == UInt8(ascii: "}") else { return nil }
    let inner = text.dropFirst(2).drop { (0x61...0x7a).contains($0 | 0x20) || $0 == UInt8(ascii: ".") }
    return inner.first == UInt8(ascii: "{") ? inner.dropFirst().dropLast() : nil
  }

  /// What is in `<li>…</li>`; nil for anything else.
  private static func listItem(_ text: ArraySlice<UInt8>) -> ArraySlice<UInt8>? {
    guard text.count >= 9, text.starts(with: "<li>".utf8), text.suffix(5).elementsEqual("</li>".utf8) else {
      return nil
    }
    return text.dropFirst(4).dropLast(5)
  }

  /// The closing byte of a pair that `byte` opens, nil when it opens none.
  private static func closing(_ byte: UInt8) -> UInt8? {
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "'"), UInt8(ascii: "`"): byte
    case UInt8(ascii: "{"): UInt8(ascii: "}")
    case UInt8(ascii: "["): UInt8(ascii: "]")
    case UInt8(ascii: "("): UInt8(ascii: ")")
    case UInt8(ascii: "<"): UInt8(ascii: ">")
    default: nil
    }
  }

  /// `text` without surrounding white space and byte order marks.
  static func trimmed(_ text: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
    var text = text
    while let first = text.first {
      if isSpace(first) {
        text.removeFirst()
      } else if let space = wideSpaces.first(where: { text.starts(with: $0) }) {
        text.removeFirst(space.count)
      } else {
        break
      }
    }
    while let last = text.last {
      if isSpace(last) {
        text.removeLast()
      } else if last >= 0x80, let space = wideSpaces.first(where: { text.suffix($0.count).elementsEqual($0) }) {
        text.removeLast(space.count)
      } else {
        break
      }
    }
    return text
  }

  /// Whether `text` is a line that only divides: a table, such as `+----+----+` or `|:---|`, YAML documents, code in a
  /// text (a fence of Markdown, perhaps with the name of a language), or the records of a database.
  static func isRule(_ text: ArraySlice<UInt8>) -> Bool {
    if text.starts(with: "```".utf8) || text.starts(with: "~~~".utf8) {
      return text.dropFirst(3).allSatisfy { (0x61...0x7a).contains($0 | 0x20) || isSpace($0) }
    }
    if text.elementsEqual("...".utf8) || isRecordRule(text) { return true }
    return zip(text, text.dropFirst()).contains { $0 == $1 && "-=".utf8.contains($0) }
      && text.allSatisfy { isSpace($0) || "-+|=:_".utf8.contains($0) }
  }

  /// Whether `text` begins a record of which each line is a name and a value, as psql (`-[ RECORD 1 ]-`) and mysql
  /// (`*** 1. row ***`) print it.
  static func isRecordRule(_ text: ArraySlice<UInt8>) -> Bool {
    text.starts(with: "-[ RECORD ".utf8)
      || text.starts(with: "***".utf8) && text.suffix(3).elementsEqual("***".utf8)
        && text.contains(Array(". row *".utf8))
  }

  static func isSpace(_ byte: UInt8) -> Bool {
    byte == UInt8(ascii: " ") || (9...13).contains(byte)
  }

  static func isLineEnd(_ byte: UInt8) -> Bool {
    byte == UInt8(ascii: "\n") || byte == UInt8(ascii: "\r")
  }

  /// The byte order mark. Joined files also have it in the middle.
  static let byteOrderMark: [UInt8] = [0xef, 0xbb, 0xbf]

  /// White space outside ASCII that comes with copied text: no-break space, zero-width space, byte order mark.
  private static let wideSpaces: [[UInt8]] = [[0xc2, 0xa0], [0xe2, 0x80, 0x8b], byteOrderMark]
}
