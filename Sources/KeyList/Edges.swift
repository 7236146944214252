/// White space and quotes around a value, as lists from editors, spreadsheets and shells have them.
enum Edges {
  /// `text` without white space around it, then without one pair of equal quotes, then without white space again.
  static func stripped(_ text: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
    let outer = trimmed(text)
    guard outer.count >= 2, let first = outer.first, first == outer.last,
      first == UInt8(ascii: "\"") || first == UInt8(ascii: "'") || first == UInt8(ascii: "`")
    else { return outer }
    return trimmed(outer.dropFirst().dropLast())
  }

  /// `text` without the white space around it.
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
      } else if let space = wideSpaces.first(where: { text.suffix($0.count).elementsEqual($0) }) {
        text.removeLast(space.count)
      } else {
        break
      }
    }
    return text
  }

  static func isSpace(_ byte: UInt8) -> Bool {
    byte == UInt8(ascii: " ") || (9...13).contains(byte)
  }

  /// The byte order mark; it also stands in the middle where files were put together.
  static let byteOrderMark: [UInt8] = [0xef, 0xbb, 0xbf]

  /// White space outside ASCII that copied text brings along: no-break space, zero-width space, byte order mark.
  private static let wideSpaces: [[UInt8]] = [[0xc2, 0xa0], [0xe2, 0x80, 0x8b], byteOrderMark]
}
