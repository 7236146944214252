/// The tags of HTML around the items of a list, the cells of a table and the lines of a text. They separate what is
/// between them.
enum HTMLTags {
  private static let names: Set<String> = [
    "ul", "ol", "li", "table", "thead", "tbody", "tr", "th", "td", "p", "br", "div", "span", "pre", "code", "tt", "b",
    "strong", "i", "em",
  ]
  /// The longest tag, in bytes, with its attributes.
  private static let longest = 400

  /// `text` with a space in place of each tag; one with an id among its attributes stays.
  ///
  /// They all stay where the cells of a table may be those of different columns: there are two ids in a row, rows with
  /// other words on one line, or a cell without its row.
  static func removed(from text: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
    guard text.contains(UInt8(ascii: "<")) else { return text }
    var result: [UInt8] = []
    result.reserveCapacity(text.count)
    var rows: [Int] = []
    var cells = 0
    var rest = text
    while let first = rest.first {
      let tag = first == UInt8(ascii: "<") ? tag(rest) : nil
      if tag?.name == "tr" { rows.append(result.count) }
      if tag?.name == "td" || tag?.name == "th" { cells += 1 }
      result.append(tag == nil ? first : UInt8(ascii: " "))
      rest = rest.dropFirst(tag?.length ?? 1)
    }
    if cells == 1, rows.isEmpty { return text }
    for (start, end) in zip(rows, rows.dropFirst() + [result.count]) {
      let words = result[start..<end].split(whereSeparator: TextLine.isSeparator)
      let ids = words.count { KeyIDText.id($0) != nil }
      if ids > 1 || rows.count > 1 && ids < words.count { return text }
    }
    return result[...]
  }

  /// The tag at the start of `text`, which is an opening angle bracket. A closing tag has no name.
  private static func tag(_ text: ArraySlice<UInt8>) -> (name: String, length: Int)? {
    let isClosing = text.dropFirst().first == UInt8(ascii: "/")
    let bytes = text.dropFirst(isClosing ? 2 : 1).prefix { (0x61...0x7a).contains($0 | 0x20) }
    guard bytes.count <= 6, let next = text[bytes.endIndex...].first,
      next == UInt8(ascii: ">") || next == UInt8(ascii: "/") || Edges.isSpace(next),
      let end = text.prefix(longest).firstIndex(of: UInt8(ascii: ">"))
    else { return nil }
    let name = String(decoding: bytes, as: UTF8.self).lowercased()
    guard names.contains(name), !KeyIDText.holdsID(text[...end]) else { return nil }
    return (isClosing ? "" : name, end + 1 - text.startIndex)
  }
}
