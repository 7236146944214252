/// The form of a key list, told from its content, never from its name.
package enum KeyListFormat: Hashable, Sendable {
  /// One key id a line.
  case text
  /// CSV with a header: the column that counts, as the header spells it in lower case, and the field separator.
  case csv(column: String, separator: UInt8)
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
}

extension KeyListFormat: CustomStringConvertible {
  /// For people: `CSV, column app_key_id`.
  package var description: String {
    switch self {
    case .text: "text, one key id a line"
    case .csv(let column, _): "CSV, column \(column)"
    case .json: "JSON"
    }
  }
}
