/// A quoted field of a CSV list that is longer than the visible bytes. What is in it must not be read as records.
enum CSVFarQuote {
  /// The list from behind the record's last field.
  case closed(ListBytes)
  /// The next quote closes nothing, so that this one is a stray one.
  case stray
  /// There is no other quote in the list.
  case alone

  /// A quote closes the field if only spaces come between it and a separator or line end. The search ends at the first
  /// quote that is not doubled, so that a list with many stray quotes is still read in the time that its length takes.
  ///
  /// - Parameter open: The offset after the opening quote.
  init(_ bytes: ListBytes, open: Int, separator: UInt8) throws(KeyListError) {
    var ahead = bytes
    Self.skip(open, of: &ahead)
    guard try Self.skipQuoted(&ahead) else {
      self = .alone
      return
    }
    while true {
      try ahead.fill()
      let end = (0..<ahead.count).first {
        ahead[$0] == separator || Edges.isLineEnd(ahead[$0]) || !Edges.isSpace(ahead[$0])
      }
      guard let end, !Edges.isLineEnd(ahead[end]) else {
        self = end == nil && ahead.continues ? .stray : .closed(ahead)
        return
      }
      guard ahead[end] == separator else { break }
      ahead.advance(end + 1)
      try ahead.fill()
      guard let field = CSVField.measure(ahead, from: 0, separator: separator) else { break }
      ahead.advance(field.end, lines: field.lines)
    }
    self = .stray
  }

  /// Moves behind the next quote that is not doubled. False when there is none.
  private static func skipQuoted(_ bytes: inout ListBytes) throws(KeyListError) -> Bool {
    let quote = UInt8(ascii: "\"")
    while true {
      try bytes.fill()
      if bytes.count == 0 { return false }
      guard let found = bytes.firstOffset(of: quote) else {
        // A carriage return that is the last visible byte waits for what follows it.
        let isCut = bytes.count > 1 && bytes.continues && bytes[bytes.count - 1] == UInt8(ascii: "\r")
        skip(isCut ? bytes.count - 1 : bytes.count, of: &bytes)
        continue
      }
      skip(found + 1, of: &bytes)
      try bytes.fill()
      guard bytes.count > 0, bytes[0] == quote else { return true }
      bytes.advance(1)
    }
  }

  private static func skip(_ count: Int, of bytes: inout ListBytes) {
    bytes.advance(count, lines: CSVField.lineEnds(in: bytes[0..<count]))
  }
}
