/// A set of row numbers. Rows of one list are neighbours, so each takes one bit in words that exist only where needed.
package struct RowSet {
  private var words: [Int64: UInt64] = [:]

  package init() {}

  /// Returns true when the row was not in the set yet.
  package mutating func insert(_ row: Int64) -> Bool {
    let bit: UInt64 = 1 << UInt64(row & 63)
    let word = words[row >> 6, default: 0]
    words[row >> 6] = word | bit
    return word & bit == 0
  }
}
