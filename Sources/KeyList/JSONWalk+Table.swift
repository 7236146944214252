/// The tables among the arrays.
extension JSONWalk {
  /// The table that the array of this number is. Nil when nothing says what its columns are.
  func table(of array: Int) -> JSONTable? {
    guard let own = tables[array] else { return nil }
    if let own { return own }
    return titles.isEmpty ? nil : JSONTable(titles: hasOtherTitles ? [] : titles)
  }

  /// Whether this is a row of the table that is read.
  func isRow(_ frame: Frame) -> Bool {
    frame.level == 1 && frame.container.isArray && reading?.array == frame.array
  }

  /// Notes the titles in a member of the object, which has just begun.
  mutating func noteTitles() throws(KeyListError) {
    guard JSONTitles.isMember(memberName) else { return }
    var ahead = bytes
    let found = try JSONTitles.titles(in: &ahead)
    if found.isEmpty { return }
    if titles.isEmpty { titles = found } else if found != titles { hasOtherTitles = true }
    if otherTitle == nil { otherTitle = try JSONTitles.other(in: bytes) }
  }

  /// Notes the titles in the first row of an array, and begins a row of the table that is read.
  mutating func beginRow(of frame: Frame) throws(KeyListError) {
    if tables[frame.array] == nil { tables[frame.array] = .some(try JSONTable.begin(at: bytes).table) }
    if reading?.array == frame.array { reading?.table.beginRow(line: frame.container.line) }
  }
}
