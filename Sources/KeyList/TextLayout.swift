/// How a text list without a header is laid out, detected from its first lines.
package enum TextLayout: Hashable, Sendable {
  /// Every word is an id; most lists have one a line.
  case ids
  /// There are other words beside the ids. The ids are in this column, counted from 1; negative numbers count from the
  /// right.
  case column(Int)
  /// The ids are named, as in `id: …`, and nothing in the list says that they are those of something else.
  case name(String)
}

extension TextLayout {
  /// What the lines of a sample have in common.
  struct Survey {
    private var lines = 0
    private var rows = IDRows()
    private var firstLineWithIDs: Int?
    /// A line has one id and other words.
    private var hasNamedID = false
    /// The places, counted from either end, at which every line has an id.
    private var fromLeft: [Int] = []
    private var fromRight: [Int] = []
    private var isColumn = true
    private var names = NamedIDs()
    private var labels = SharedWords()

    /// Takes in the line `number`, with white space of `indent` bytes before it.
    mutating func add(_ line: TextLine, number: Int, indent: Int) {
      lines += 1
      rows.add(line.ids.count)
      if firstLineWithIDs == nil, !line.ids.isEmpty { firstLineWithIDs = number }
      if line.ids.isEmpty || line.hasNames || Self.isNamed(line) { isColumn = false }
      if line.ids.count == 1, line.words > 1 { hasNamedID = true }
      let right = line.places.map { $0 - line.words }
      (fromLeft, fromRight) =
        lines == 1
        ? (line.places, right) : (fromLeft.filter(line.places.contains), fromRight.filter(right.contains))
      if !line.isIDs { names.add(line, indent: indent) }
      if !line.ids.isEmpty { labels.add(line) }
    }

    /// Throws when the lines form a table and nothing says what its columns are.
    func layout() throws(KeyListError) -> TextLayout {
      if isColumn, hasNamedID, !labels.sayOther, let column { return .column(column) }
      guard let table = rows.table else { return names.name.map { .name($0) } ?? .ids }
      throw KeyListError(
        kind: .ambiguous, message: "the list is a table without a header: each line has \(table.ids) ids",
        line: firstLineWithIDs,
        hint: "add a header line that names the columns, such as owner_id,app_key_id, or keep only the ids of keys; "
          + "if all of them are keys, write each on a line of its own")
    }

    /// Whether a name and a vertical bar come before the ids, as a database shows records: `owner | …`.
    private static func isNamed(_ line: TextLine) -> Bool {
      line.text.contains(UInt8(ascii: "|")) && TextHeading(line.text)?.holdsID == true
    }

    /// The only column with an id on every line.
    private var column: Int? {
      if fromLeft.count == 1 || fromRight.isEmpty { return fromLeft.count == 1 ? fromLeft.first.map { $0 + 1 } : nil }
      return fromLeft.isEmpty && fromRight.count == 1 ? fromRight.first : nil
    }
  }
}

/// Lines such as `id: …`, of which nobody knows in general what has that id. They are read in a list that names nothing
/// else: no other thing, no more specific id, and the same name at the same indentation throughout. Whose the thing is may
/// be said beside its id.
private struct NamedIDs {
  private var found: (name: String, rank: Int, indent: Int)?
  private var isClear = true

  var name: String? { isClear ? found?.name : nil }

  mutating func add(_ line: TextLine, indent: Int) {
    guard let heading = TextHeading(line.text, indent: indent) else { return }
    if heading.meaning != .unknown && !heading.isOfRelation || heading.saysOther || line.otherResource != nil {
      isClear = false
    }
    guard let rank = heading.idRank, heading.holdsID else { return }
    if let found, found.rank != rank || found.indent != heading.indent { isClear = false }
    if found == nil { found = (heading.shownName, rank, heading.indent) }
  }
}
