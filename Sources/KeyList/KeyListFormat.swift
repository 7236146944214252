/// The form of a key list, detected from its content, never from its name.
package enum KeyListFormat: Hashable, Sendable {
  /// Ids, most of the time one a line.
  case text(TextLayout)
  /// CSV with a header: the column that counts, as the header spells it, its number from 0, and the field separator.
  case csv(column: String, number: Int, separator: UInt8)
  /// JSON values one after the other: lines, arrays, answers of the API.
  case json

  /// The word for receipts.
  package var name: String {
    switch self {
    case .text: "text"
    case .csv: "csv"
    case .json: "json"
    }
  }

  /// For receipts: the column that the ids are taken from, nil where there are no columns. In a text list it is a number,
  /// from 1 on, from the right below 0.
  package var column: String? {
    switch self {
    case .csv(let column, _, _): column
    case .text(.column(let number)): "\(number)"
    case .text(.ids), .json: nil
    }
  }
}

extension KeyListFormat: CustomStringConvertible {
  /// For people: `CSV, column app_key_id`.
  package var description: String {
    switch self {
    case .text(.ids): "text"
    case .text(.column(let number)):
      number > 0 ? "text, column \(number)" : "text, column \(-number) from the right"
    case .csv(let column, _, _): "CSV, column \(column)"
    case .json: "JSON"
    }
  }
}
