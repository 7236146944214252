import Registration

/// A JSON value that is neither a key id nor an object with one.
package enum JSONMisfit: Hashable, Sendable {
  case array
  case object
  case scalar
  case apiError
  /// An object without an id; perhaps it has one under another name.
  case noID(hasUnnamed: Bool)
  case stateWithoutKey
  case brokenInside
  case tooDeep
  case behindBroken
  /// A row of a table with more values than there are titles, or with a gap.
  case row(values: Int, titles: Int)
  /// Beside the rows of a table.
  case noRow
}

extension JSONMisfit: CustomStringConvertible {
  package var description: String {
    switch self {
    case .array: "an array instead of a key id"
    case .object: "an object instead of a key id"
    case .scalar: "a number, true, false or null instead of a key id"
    case .apiError: "an API error instead of keys"
    case .noID(hasUnnamed: false): "an object without \"id\" or \"app_key_id\""
    case .noID(hasUnnamed: true):
      "an object without \"id\" or \"app_key_id\", but with an id under another name: if it is a key's, "
        + "name it app_key_id"
    case .stateWithoutKey: "a Terraform state without a datadog_application_key"
    case .brokenInside: "broken JSON inside the object; nothing in it was read"
    case .tooDeep: "values nested more than \(JSONContainer.deepest) deep; nothing in the object was read"
    case .row(let values, let titles):
      "a row with \(values.counted("value")) in a table with \(titles.counted("title")): which is which is not clear"
    case .noRow: "it is beside the rows of a table, whose first row has the titles"
    case .behindBroken: "it may belong to the broken JSON before it"
    }
  }
}
