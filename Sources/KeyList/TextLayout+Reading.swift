import Registration

extension TextLayout {
  /// What a line has in the place of the ids.
  enum Reading {
    case ids([AppKeyID])
    /// The id in the column of this name, for display. Other ids on the line are in the place of a name.
    case id(AppKeyID, column: String)
    case invalid(InvalidReason)
  }

  /// Nil for a line that has nothing there. A line that is only an id has one in any list.
  func reading(of line: TextLine) -> Reading? {
    switch self {
    case .ids, .name: return line.isIDs ? .ids(line.ids) : nil
    case .column(let number):
      if line.words < 2 { return line.isIDs ? .ids(line.ids) : nil }
      if line.hasNames { return nil }
      return line.id(inColumn: number).map { .id($0, column: KeyListFormat.shown(number)) }
    case .field(let field): return line.hasNames ? nil : field.reading(of: line)
    }
  }
}
