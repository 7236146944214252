/// How a text list without a header is laid out, detected from its first lines.
package enum TextLayout: Hashable, Sendable {
  /// Every word is an id; most lists have one a line.
  case ids
  /// There are other words beside the ids. The ids are in this column, counted from 1; negative numbers count from the
  /// right.
  case column(Int)
}

extension TextLayout {
  /// What the lines of a sample have in common.
  struct Survey {
    private var lines = 0
    /// How many ids each line with ids has, while that is the same.
    private var idsEach: Int?
    private var isEven = true
    private var linesWithIDs = 0
    private var firstLineWithIDs = 0
    private var hasOtherWords = false
    private var fromLeft: Int?
    private var fromRight: Int?
    private var isColumn = true

    /// Takes in the line `number`.
    mutating func add(_ line: TextLine, number: Int) {
      lines += 1
      if !line.ids.isEmpty {
        linesWithIDs += 1
        if firstLineWithIDs == 0 { firstLineWithIDs = number }
        if let idsEach, idsEach != line.ids.count { isEven = false }
        idsEach = line.ids.count
      }
      if line.ids.count != 1 || line.hasNames { isColumn = false }
      if !line.isIDs { hasOtherWords = true }
      let (left, right) = (line.place, line.words - line.place)
      if lines == 1 { (fromLeft, fromRight) = (left, right) }
      if fromLeft != left { fromLeft = nil }
      if fromRight != right { fromRight = nil }
    }

    /// Throws when the lines form a table and nothing says what its columns are.
    func layout() throws(KeyListError) -> TextLayout {
      if isEven, linesWithIDs > 1, let idsEach, idsEach > 1 {
        throw KeyListError(
          kind: .ambiguous, message: "the list is a table without a header: each line has \(idsEach) ids",
          line: firstLineWithIDs,
          hint: "add a header line that names the columns, such as owner_id,app_key_id, or keep only the ids of keys"
        )
      }
      guard isColumn, hasOtherWords else { return .ids }
      if let fromLeft { return .column(fromLeft + 1) }
      if let fromRight { return .column(-fromRight) }
      return .ids
    }
  }
}
