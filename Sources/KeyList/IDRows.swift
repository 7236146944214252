/// How many ids the lines or arrays of a list have. Where several have the same number of them, these are the columns of
/// a table, of which nobody knows which one has the keys.
struct IDRows {
  private var counts: [Int: Int] = [:]

  /// Rows of one id or none say nothing.
  mutating func add(_ ids: Int) {
    if ids > 1 { counts[ids, default: 0] += 1 }
  }

  mutating func add(_ others: IDRows) { counts.merge(others.counts, uniquingKeysWith: +) }

  /// How many ids how many rows have, if they are a table. One more id on some rows does not make it a list.
  var table: (ids: Int, rows: Int)? {
    let most = counts.max { ($0.value, $0.key) < ($1.value, $1.key) }
    guard let most, most.value > 1, most.value * 2 >= counts.values.reduce(0, +) else { return nil }
    return (most.key, most.value)
  }
}
