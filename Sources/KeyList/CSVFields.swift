/// The fields of one short CSV record, copied: a header, or a record that is compared with one.
struct CSVFields {
  /// The longest record, in bytes, that can be a header.
  private static let longest = 16 * 1024
  private static let quote = UInt8(ascii: "\"")

  let separator: UInt8
  private(set) var fields: [[UInt8]] = []
  /// Bytes up to the line end.
  private(set) var length = 0
  /// Line ends within quotes.
  private(set) var innerLines = 0

  init(_ fields: [[UInt8]]) {
    separator = UInt8(ascii: ",")
    self.fields = fields
  }

  /// Nil when no record that ends within `text` begins at its start: a quote is not closed, or text follows the closing
  /// one.
  init?(at text: ArraySlice<UInt8>, separator: UInt8) {
    self.separator = separator
    var rest = text.prefix(Self.longest)
    while true {
      guard let field = takeField(&rest) else { return nil }
      fields.append(field)
      guard let next = rest.first else { break }
      if Edges.isLineEnd(next) { break }
      rest.removeFirst()
    }
    if rest.isEmpty, text.count > Self.longest { return nil }
    length = rest.startIndex - text.startIndex
  }

  /// The field at the start of `rest`, which afterwards begins with the field's end. Nil when its quotes are not in
  /// order.
  private mutating func takeField(_ rest: inout ArraySlice<UInt8>) -> [UInt8]? {
    let separator = separator
    let isEnd = { (byte: UInt8) in byte == separator || Edges.isLineEnd(byte) }
    let isSpace = { (byte: UInt8) in Edges.isSpace(byte) && !isEnd(byte) }
    rest = rest.drop(while: isSpace)
    guard rest.first == Self.quote else {
      let field = rest.prefix { !isEnd($0) }
      rest = rest[field.endIndex...]
      return Array(field)
    }
    rest.removeFirst()
    var field: [UInt8] = []
    while true {
      guard let found = rest.firstIndex(of: Self.quote) else { return nil }
      field += rest[..<found]
      rest = rest[(found + 1)...]
      guard rest.first == Self.quote else { break }
      field.append(Self.quote)
      rest.removeFirst()
    }
    innerLines += CSVField.lineEnds(in: field[...])
    rest = rest.drop(while: isSpace)
    guard let next = rest.first else { return field }
    return isEnd(next) ? field : nil
  }

  /// The name in field `index`, for display.
  func shown(_ index: Int) -> String {
    InvalidLine.shown(Edges.peeled(CleanText.clean(fields[index][...])), characters: 60)
  }
}
