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
    /// How many lines have this number of ids, for each number above 1.
    private var linesWithSeveral: [Int: (count: Int, first: Int)] = [:]
    /// A line has one id and other words.
    private var hasNamedID = false
    /// The places, counted from either end, at which every line has an id.
    private var fromLeft: [Int] = []
    private var fromRight: [Int] = []
    private var isColumn = true
    private var names = NamedIDs()

    /// Takes in the line `number`, with white space of `indent` bytes before it.
    mutating func add(_ line: TextLine, number: Int, indent: Int) {
      lines += 1
      if line.ids.count > 1 { linesWithSeveral[line.ids.count, default: (0, number)].count += 1 }
      if line.ids.isEmpty || line.hasNames { isColumn = false }
      if line.ids.count == 1, line.words > 1 { hasNamedID = true }
      let right = line.places.map { $0 - line.words }
      (fromLeft, fromRight) =
        lines == 1
        ? (line.places, right) : (fromLeft.filter(line.places.contains), fromRight.filter(right.contains))
      if !line.isIDs { names.add(line, indent: indent) }
    }

    /// Throws when the lines form a table and nothing says what its columns are.
    func layout() throws(KeyListError) -> TextLayout {
      if isColumn, hasNamedID, let column { return .column(column) }
      let several = linesWithSeveral.values.reduce(0) { $0 + $1.count }
      let most = linesWithSeveral.max { ($0.value.count, $0.key) < ($1.value.count, $1.key) }
      // One more id on some lines does not make a table a list.
      guard let (ids, found) = most, found.count > 1, found.count * 2 >= several else {
        return names.name.map { .name($0) } ?? .ids
      }
      let which = found.count == lines ? "each line has" : "\(found.count) lines have"
      throw KeyListError(
        kind: .ambiguous, message: "the list is a table without a header: \(which) \(ids) ids", line: found.first,
        hint: "add a header line that names the columns, such as owner_id,app_key_id, or keep only the ids of keys; "
          + "if all of them are keys, write each on a line of its own")
    }

    /// The only column with an id on every line.
    private var column: Int? {
      if fromLeft.count == 1 || fromRight.isEmpty { return fromLeft.count == 1 ? fromLeft.first.map { $0 + 1 } : nil }
      return fromLeft.isEmpty && fromRight.count == 1 ? fromRight.first : nil
    }
  }
}

/// Lines such as `id: …`, of which nobody knows in general what has that id. They are read in a list that names nothing
/// else: no other thing, no more specific id, and the same name at the same indentation throughout.
private struct NamedIDs {
  private var found: (name: String, rank: Int, indent: Int)?
  private var isClear = true

  var name: String? { isClear ? found?.name : nil }

  mutating func add(_ line: TextLine, indent: Int) {
    guard let heading = TextHeading(line.text, indent: indent) else { return }
    if heading.meaning != .unknown || heading.saysOther { isClear = false }
    guard let rank = CSVHeader.rank(of: Array(heading.name)), heading.holdsID else { return }
    if let found, found.rank != rank || found.indent != heading.indent { isClear = false }
    if found == nil { found = (heading.shownName, rank, heading.indent) }
  }
}
