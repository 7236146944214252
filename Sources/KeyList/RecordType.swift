/// The type that a record of a text list gives beside its id, in YAML or in other lines of names and values. A list may
/// begin with keys, and have the records of users behind them.
struct RecordType {
  /// The type of something else on an earlier line of the record, for display, and that line's indentation.
  private var earlier: (type: String, indent: Int)?

  /// Bytes below an id in which its type is looked for.
  private static let sight = 4_096

  /// Notes a line. An item of YAML, or a blank line, begins a record.
  mutating func note(_ line: ArraySlice<UInt8>, named: TextHeading?) {
    if line.isEmpty || line.first == UInt8(ascii: "-") { earlier = nil }
    if let named, named.saysOther { earlier = (Self.shown(named), named.indent) }
  }

  /// The type of something else that the record of `id` gives, for display.
  ///
  /// - Parameters:
  ///   - id: The line with the id.
  ///   - below: What comes below it.
  mutating func other(of id: TextHeading, below: ArraySlice<UInt8>) -> String? {
    defer { earlier = nil }
    if let earlier, earlier.indent == id.indent { return earlier.type }
    for line in below.prefix(Self.sight).split(omittingEmptySubsequences: false, whereSeparator: Edges.isLineEnd) {
      let text = Edges.trimmed(CleanText.clean(line))
      guard let first = text.first, first != UInt8(ascii: "-") else { return nil }
      guard let named = TextHeading(text, indent: line.prefix(while: Edges.isSpace).count), named.indent <= id.indent
      else { continue }
      if named.indent < id.indent || named.idRank == id.idRank { return nil }
      if named.saysOther { return Self.shown(named) }
    }
    return nil
  }

  private static func shown(_ named: TextHeading) -> String {
    InvalidLine.shown(Edges.peeled(named.rest), characters: 40)
  }
}
