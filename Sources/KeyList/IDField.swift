import Registration

/// The field of the ids in a text list whose rows all have the same number of the same separator. An empty field, or one
/// of several words, does not move it, as it moves a column that is counted in words.
package struct IDField: Hashable, Sendable {
  /// From 0.
  let number: Int
  /// How many fields each row has.
  let count: Int
  let separator: UInt8

  /// For display: counted from 1.
  var shown: String { "\(number + 1)" }

  /// What a row has in this field. Nil for a line without ids.
  func reading(of line: TextLine) -> TextLayout.Reading? {
    guard !line.ids.isEmpty else { return nil }
    if number == 0, line.places == [0], line.row.first != separator { return .id(line.ids[0], column: shown) }
    let fields = line.fields(separator)
    if fields.count == count {
      let field = fields[number][...]
      if let id = Self.id(in: field) { return .id(id, column: shown) }
      let text = Edges.peeled(field)
      return .invalid(text.isEmpty ? .record(.empty(column: shown)) : .notAnID(KeyIDText.flaw(in: text)))
    }
    if let id = KeyIDText.id(line.text) { return .id(id, column: shown) }
    // A separator in the words before it.
    if number == count - 1, fields.count > count, line.ids.count == 1, let last = fields.last,
      let id = Self.id(in: last[...])
    {
      return .id(id, column: shown)
    }
    return .invalid(.record(.unlikeOthers(fields.count, others: count)))
  }

  fileprivate static func id(in field: ArraySlice<UInt8>) -> AppKeyID? {
    if case .key(let id) = KeyIDText.read(field) { id } else { nil }
  }
}

extension IDField {
  /// What the rows of a sample have in common.
  struct Survey {
    private struct Candidate {
      let separator: UInt8
      let count: Int
      /// The number of rows by the field that has an id.
      var rows: [Int: Int] = [:]
    }

    private static let separators = [UInt8(ascii: ","), UInt8(ascii: ";"), UInt8(ascii: "\t"), UInt8(ascii: "|")]
    private var candidates = separators.map { Candidate(separator: $0, count: 0) }
    private var rows = 0

    /// Takes in a row with ids. One that is only an id may be in any list.
    mutating func add(_ line: TextLine) {
      if line.words == 1, !line.row.contains(where: Self.separators.contains) { return }
      rows += 1
      candidates = candidates.compactMap { candidate in
        guard line.row.contains(candidate.separator), case let fields = line.fields(candidate.separator),
          fields.count > 1,
          candidate.count == 0 || candidate.count == fields.count
        else { return nil }
        var candidate = Candidate(separator: candidate.separator, count: fields.count, rows: candidate.rows)
        for (number, field) in fields.enumerated() where field.count >= 36 && IDField.id(in: field[...]) != nil {
          candidate.rows[number, default: 0] += 1
        }
        return candidate
      }
    }

    /// The field that has an id in most rows, and in more than all others together.
    var field: IDField? {
      for candidate in candidates {
        let ids = candidate.rows.values.reduce(0, +)
        for (number, count) in candidate.rows where 2 * count > max(ids, rows) {
          return IDField(number: number, count: candidate.count, separator: candidate.separator)
        }
      }
      return nil
    }
  }
}

extension TextLine {
  /// The line as a record of CSV, without a comment behind it and the borders of a printed table. Where quotes are not in
  /// order, they are nothing special.
  func fields(_ separator: UInt8) -> [[UInt8]] {
    var text = row
    if separator == UInt8(ascii: "|"), text.count > 1, text.first == separator, text.last == separator {
      text = text.dropFirst().dropLast()
    }
    let bare = text[..<(Self.comment(in: text) ?? text.endIndex)]
    let fields = CSVFields(at: bare, separator: separator) ?? CSVFields(at: text, separator: separator)
    return fields?.fields ?? bare.split(separator: separator, omittingEmptySubsequences: false).map(Array.init)
  }
}
