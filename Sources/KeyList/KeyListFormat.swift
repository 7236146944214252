/// The form of a key list, detected from its content, never from its name.
package enum KeyListFormat: Hashable, Sendable {
  /// Ids, usually one a line.
  case text(TextLayout)
  /// CSV with a header: the name of the column as spelled there, its number from 0, and the field separator.
  case csv(column: String, number: Int, separator: UInt8)
  /// Consecutive JSON values: lines, arrays, answers of the API. `member` is the name, as spelled there, of the member
  /// that counts where the first object with a key has several ids.
  case json(member: String?)

  /// The word for receipts.
  package var name: String {
    switch self {
    case .text: "text"
    case .csv: "csv"
    case .json: "json"
    }
  }

  /// For receipts: the column of the ids, nil where there are no columns. In a text list it is a number, counted from
  /// 1, perhaps from the right, or the name before each id; in JSON the member that was taken of several.
  package var column: String? {
    switch self {
    case .csv(let column, _, _): column
    case .text(.column(let number)): Self.shown(number)
    case .text(.field(let field)): field.shown
    case .text(.name(let name)): name
    case .json(let member): member
    case .text(.ids): nil
    }
  }
}

extension KeyListFormat: CustomStringConvertible {
  /// For display: columns that are counted from the right are negative.
  static func shown(_ column: Int) -> String { column > 0 ? "\(column)" : "\(-column) from the right" }

  /// For display: `CSV, column app_key_id`.
  package var description: String {
    switch self {
    case .text(.ids): "text"
    case .text(.column(let number)): "text, column \(Self.shown(number))"
    case .text(.field(let field)): "text, column \(field.shown)"
    case .text(.name(let name)): "text, named \(name)"
    case .csv(let column, _, _): "CSV, column \(column)"
    case .json(nil): "JSON"
    case .json(let member?): "JSON, member \(member)"
    }
  }
}
