/// Another header among the records of a CSV list: lists were joined, and what follows may be ids of something else.
///
/// The record after it distinguishes it from a bad record that happens to contain such names. The same header once more
/// only costs its line.
package struct CSVNextTable {
  /// Why nothing after it can be read as before.
  package enum Header: Hashable, Sendable {
    /// Its ids are in the same column.
    case other
    /// Its ids are in this column, from 1.
    case otherColumn(Int)
    case withoutIDs
  }

  let header: Header

  /// - Parameters:
  ///   - record: At the window's start, without a key in the column of keys.
  ///   - field: What is in the column of keys, or all of a record of one field.
  ///   - isBehindBlank: The line before it is blank.
  init?(_ record: CSVRecord, field: Range<Int>, in bytes: ListBytes, below header: CSVHeader, isBehindBlank: Bool) {
    let text = bytes[0..<record.length]
    guard !KeyIDText.holdsID(text),
      let names = CSVFields(at: text, separator: header.separator),
      let values = CSVFields(at: Self.next(after: record, in: bytes, below: header), separator: header.separator)
    else { return nil }
    let isAboveID = { (column: Int) in column < values.fields.count && KeyIDText.isKey(values.fields[column][...]) }
    // A header with two equivalent columns does not say where the ids are.
    if let other = try? CSVHeader(at: text), other.separator == header.separator, isAboveID(other.column) {
      if other.isSame(as: header) || other.column == header.column && other.rank < 2 { return nil }
      self.header = other.column == header.column ? .other : .otherColumn(other.column + 1)
      return
    }
    let isOther = IDName.meaning(of: Array(bytes[field]), isLabel: true) == .other
    let isTable = isBehindBlank && names.titles.count > 1 && names.titles.allSatisfy { !$0.isEmpty }
    let isAboveHeader = (try? CSVHeader(names: values.fields)) != nil
    guard isAboveID(header.column) ? isOther || isTable : isOther && isAboveHeader else { return nil }
    self.header = .withoutIDs
  }

  /// What comes below the record at the window's start: empty rows, and the lines that are drawn below titles, are passed
  /// over.
  static func next(after record: CSVRecord, in bytes: ListBytes, below header: CSVHeader) -> ArraySlice<UInt8> {
    var rest = bytes[(record.length + record.lineEnd)..<bytes.count]
    while let end = rest.firstIndex(where: Edges.isLineEnd) {
      let line = Edges.trimmed(rest[..<end])
      guard line.allSatisfy({ $0 == header.separator || Edges.isSpace($0) }) || Edges.isRule(line) else { break }
      rest = rest[(end + 1)...]
    }
    return rest
  }
}

extension CSVFields {
  /// Without the empty fields outside of a printed table's borders.
  fileprivate var titles: ArraySlice<[UInt8]> {
    guard fields.count > 2, fields[0].isEmpty, fields[fields.count - 1].allSatisfy(Edges.isSpace) else {
      return fields[...]
    }
    return fields.dropFirst().dropLast()
  }
}

extension CSVNextTable.Header: CustomStringConvertible {
  package var description: String {
    switch self {
    case .other: "another header, whose ids may be those of something else"
    case .otherColumn(let column): "another header, with the ids in column \(column)"
    case .withoutIDs: "another header, without a column of key ids"
    }
  }
}
