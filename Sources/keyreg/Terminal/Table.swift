/// Columns padded to their widest cell.
struct Table {
  private var rows: [[String]]

  init(_ heading: [String]) {
    rows = [heading]
  }

  mutating func add(_ row: [String]) {
    rows.append(row)
  }

  var text: String { lines.map { $0 + "\n" }.joined() }

  /// The heading first.
  var lines: [String] {
    let widths = rows[0].indices.map { column in rows.map { ShownText.columns($0[column]) }.max() ?? 0 }
    return rows.map { row in
      let line = row.enumerated().map { column, cell in
        column == row.count - 1 ? cell : ShownText.padded(cell, to: widths[column])
      }.joined(separator: "  ")
      return String(line.reversed().drop { $0 == " " }.reversed())
    }
  }
}
