/// The type that a record of a text list gives beside its id, in YAML or in other lines of names and values. A list may
/// begin with keys, followed by records of users.
struct RecordType {
  /// The type of something else on an earlier line of the record, for display, and that line's indentation.
  private var earlier: (type: String, indent: Int)?

  /// Bytes below an id in which its type is looked for.
  private static let sight = 4_096

  /// Notes a line. An item of YAML begins a record, and so does a blank line, unless it is inside an item.
  mutating func note(_ line: ArraySlice<UInt8>, named: TextHeading?) {
    if line.first == UInt8(ascii: "-") || line.isEmpty && earlier?.indent == 0 { earlier = nil }
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
    var lines = SampleLines(below.prefix(Self.sight), isWhole: false, firstLine: 1)
    while let line = lines.next()?.text {
      let text = Edges.trimmed(line)
      if text.isEmpty, id.indent == 0 { return nil }
      if text.isEmpty || text.first == UInt8(ascii: "#") { continue }
      if text.first == UInt8(ascii: "-") { return nil }
      let indent = line.prefix(while: Edges.isSpace).count
      if indent > id.indent { continue }
      // Most lines are neither an id nor a type, and what other names mean takes long to find out.
      let name = Edges.peeled(text.prefix { !":=".utf8.contains($0) })
      if indent < id.indent || TextHeading.idRank(of: name) == id.idRank { return nil }
      guard name.count == 4, let named = TextHeading(CleanText.clean(text), indent: indent), named.saysOther else {
        continue
      }
      return Self.shown(named)
    }
    return nil
  }

  private static func shown(_ named: TextHeading) -> String {
    InvalidLine.shown(Edges.peeled(named.rest), characters: 40)
  }
}
