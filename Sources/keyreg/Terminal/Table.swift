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
  var lines: [String] { rows.map { line($0[...]) } }

  /// On a terminal too narrow for it, only the first column is aligned, and cells that do not fit go on below.
  func lines(in style: TerminalStyle) -> [String] {
    guard let columns = style.columns, lines.contains(where: { ShownText.columns($0) > columns }) else { return lines }
    return rows.flatMap { row in
      var lines = [ShownText.padded(row[0], to: min(width(of: 0), columns / 2))]
      for cell in row.dropFirst() where !cell.isEmpty {
        let longer = lines[lines.count - 1] + "  " + cell
        if ShownText.columns(longer) <= columns { lines[lines.count - 1] = longer } else { lines.append("    " + cell) }
      }
      return lines.flatMap { style.fold($0, indent: 4) }
    }
  }

  private func line(_ cells: ArraySlice<String>) -> String {
    let line = cells.enumerated().map { column, cell in
      column == cells.count - 1 ? cell : ShownText.padded(cell, to: width(of: column))
    }.joined(separator: "  ")
    return String(line.reversed().drop { $0 == " " }.reversed())
  }

  private func width(of column: Int) -> Int { rows.map { ShownText.columns($0[column]) }.max() ?? 0 }
}
