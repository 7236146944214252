import Registration

/// Reads a list with one key id a line. Blank lines and `#` comments, also behind an id, say nothing.
struct TextScanner {
  func next(_ bytes: inout ListBytes) throws(KeyListError) -> KeyListEntry? {
    while true {
      try bytes.fill()
      if bytes.count == 0 { return nil }
      let end = bytes.firstOffset(of: bytes.lineEnd)
      if end == nil, bytes.continues {
        if let entry = try overlong(&bytes) { return entry }
        continue
      }
      let length = end ?? bytes.count
      let entry = Self.entry(bytes[0..<length], line: bytes.line)
      if end == nil { bytes.advance(length) } else { bytes.advance(length + 1, lines: 1) }
      if let entry { return entry }
    }
  }

  private static func entry(_ content: ArraySlice<UInt8>, line: Int) -> KeyListEntry? {
    switch KeyIDText.read(content) {
    case .key(let id): return .key(id, line: line)
    case .blank: return nil
    case .invalid(let reason):
      let text = Edges.trimmed(content)
      if text.first == UInt8(ascii: "#") { return nil }
      if let id = idBeforeComment(text) { return .key(id, line: line) }
      return .invalid(InvalidLine(line: line, bytes: text, reason: reason))
    }
  }

  /// The id in `id # comment`: white space stands before the number sign.
  private static func idBeforeComment(_ text: ArraySlice<UInt8>) -> AppKeyID? {
    guard let sign = text.firstIndex(of: UInt8(ascii: "#")), sign > text.startIndex, Edges.isSpace(text[sign - 1]),
      case .key(let id) = KeyIDText.read(text[..<sign])
    else { return nil }
    return id
  }

  private func overlong(_ bytes: inout ListBytes) throws(KeyListError) -> KeyListEntry? {
    let start = bytes[0..<bytes.count]
    let isComment = Edges.trimmed(start).first == UInt8(ascii: "#")
    let entry = KeyListEntry.invalid(
      InvalidLine(
        line: bytes.line, bytes: start.prefix(InvalidLine.excerptBytes), isCut: true,
        reason: "\(KeyIDText.notAnID): the line is longer than \(ListBytes.lookahead) bytes"))
    try bytes.skipLine()
    return isComment ? nil : entry
  }
}
