/// How many ids the lines of a text, or the arrays in a member, have. Where all have the same number of them, these are
/// the columns of a table, of which nobody knows which one has the keys.
struct IDRows {
  /// The number of rows by how many ids they have.
  private var rows: [Int: Int] = [:]
  /// Those with an empty first field, by how many ids they have with it.
  private var withGap: [Int: Int] = [:]
  private var last = 0

  /// A table may have a few rows with an empty or a damaged field: one in this many.
  private static let unevenIn = 10

  /// Rows without an id say nothing.
  ///
  /// - Parameter gaps: Empty fields before the first id.
  mutating func add(_ ids: Int, gaps: Int = 0) {
    guard ids > 0 else { return }
    rows[ids, default: 0] += 1
    if gaps > 0 { withGap[ids + gaps, default: 0] += 1 }
    last = ids
  }

  mutating func add(_ others: IDRows) {
    rows.merge(others.rows, uniquingKeysWith: +)
    withGap.merge(others.withGap, uniquingKeysWith: +)
    if others.last > 0 { last = others.last }
  }

  /// How many ids how many rows have, and whether all do, if they are a table.
  var table: (ids: Int, rows: Int, isEven: Bool)? {
    guard let (ids, even) = rows.max(by: { $0.value < $1.value }), ids > 1, even > 1 else { return nil }
    let others = rows.values.reduce(0, +) - even
    let uneven = others - withGap[ids, default: 0]
    // Of a list in lines of the same length, the last line may be shorter. Two in a line are hardly that.
    let isWrapped = uneven == 1 && last < ids && ids > 2
    return uneven == 0 || uneven * Self.unevenIn <= even && !isWrapped ? (ids, even, others == 0) : nil
  }
}
