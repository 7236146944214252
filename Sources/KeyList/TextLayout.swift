import Registration

/// How a text list without a header is laid out, detected from its first lines.
package enum TextLayout: Hashable, Sendable {
  /// Every word is an id; most lists have one a line.
  case ids
  /// There are other words beside the ids. The ids are in this column, counted in words from 1; negative numbers count
  /// from the right.
  case column(Int)
  /// The same in rows that a separator cuts into fields.
  case field(IDField)
  /// The ids are named, as in `id: …`, and nothing in the list says that they are those of something else.
  case name(String)
}

extension TextLayout {
  var hasColumns: Bool {
    switch self {
    case .column, .field: true
    case .ids, .name: false
    }
  }

  /// What the lines of a sample have in common.
  struct Survey {
    private var rows = IDRows()
    private var firstLineWithIDs: Int?
    private var columns = IDColumns()
    private var names = NamedIDs()
    private var labels = SharedWords()

    /// Takes in a line that may be half of one. Its ids may show that the lines are the rows of a table.
    mutating func addRow(_ line: TextLine) {
      if line.ids.count > 1 { rows.add(line.ids.count) }
    }

    /// Takes in the line `number`, with white space of `indent` bytes before it.
    mutating func add(_ line: TextLine, number: Int, indent: Int) {
      rows.add(line.ids.count, gaps: line.gaps)
      if firstLineWithIDs == nil, !line.ids.isEmpty { firstLineWithIDs = number }
      columns.add(line)
      if !line.isIDs { names.add(line, indent: indent) }
      if !line.ids.isEmpty { labels.add(line) }
    }

    /// Throws when the lines form a table and nothing says what its columns are.
    func layout() throws(KeyListError) -> TextLayout {
      if !labels.sayOther, let layout = columns.layout { return layout }
      let table = rows.table.map { "\($0.isEven ? "each line has" : "most lines have") \($0.ids) ids" }
      guard let table = table ?? columns.doubt else { return names.name.map { .name($0) } ?? .ids }
      throw KeyListError(
        kind: .ambiguous, message: "the list is a table without a header: \(table)", line: firstLineWithIDs,
        hint: "add a header line that names the columns, such as owner_id,app_key_id, or keep only the ids of keys; "
          + "if all of them are keys, write each on a line of its own")
    }
  }
}

/// Lines such as `id: …`, of which nobody knows in general what has that id. They are read in a list that names nothing
/// else: no other thing, unless by the type of a record (`RecordType`), no more specific id, and the same name at the
/// same indentation throughout. Whose the thing is may be said beside its id.
private struct NamedIDs {
  private var found: (name: String, rank: Int, indent: Int)?
  private var isClear = true

  var name: String? { isClear ? found?.name : nil }

  mutating func add(_ line: TextLine, indent: Int) {
    guard let heading = TextHeading(line.text, indent: indent) else { return }
    let isOther = heading.meaning != .unknown && !heading.isOfRelation && !heading.isOfState
    if isOther && SecretText.kind(in: line.text) == nil || line.otherResource != nil { isClear = false }
    guard let rank = heading.idRank, heading.holdsID else { return }
    if let found, found.rank != rank || found.indent != heading.indent { isClear = false }
    if found == nil { found = (heading.shownName, rank, heading.indent) }
  }
}
