/// How many ids the lines of a text, or the arrays in a member, have. Where all have the same number of them, these are
/// the columns of a table, of which nobody knows which one has the keys.
struct IDRows {
  private var rows = 0
  private var ids = 0
  private var isEven = true

  /// Rows without an id say nothing.
  mutating func add(_ ids: Int) {
    guard ids > 0 else { return }
    if rows > 0, ids != self.ids { isEven = false }
    self.ids = ids
    rows += 1
  }

  mutating func add(_ others: IDRows) {
    guard others.rows > 0 else { return }
    isEven = isEven && others.isEven && (rows == 0 || ids == others.ids)
    ids = others.ids
    rows += others.rows
  }

  /// How many ids how many rows have, if they are a table.
  var table: (ids: Int, rows: Int)? { isEven && rows > 1 && ids > 1 ? (ids, rows) : nil }
}
