import Registration

/// The usual row of a table without a header: an id, and behind it words that say nothing about it.
///
/// `TextLine` reads every row, but takes six times as long, because it looks at what each word may mean.
enum PlainRow {
  /// The id at the start of `line`. Nil for any row that may have another meaning, or a second id.
  ///
  /// - Parameter separator: What parts the fields, other than spaces.
  static func id(_ line: ArraySlice<UInt8>, separator: UInt8 = UInt8(ascii: " ")) -> AppKeyID? {
    guard line.count < 2 * 36, line.dropFirst(36).first.map({ Edges.isSpace($0) || $0 == separator }) == true,
      line.dropFirst(36).allSatisfy({ isPlain($0) || $0 == separator })
    else { return nil }
    return KeyIDBytes.id(line.prefix(36))
  }

  /// Neither part of a sign, as in `name=…`, nor of the address of a resource, which has a dot.
  private static func isPlain(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "z"),
      UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "-"), UInt8(ascii: "_"):
      true
    default: Edges.isSpace(byte)
    }
  }
}
