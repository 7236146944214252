/// Why it is not clear which id is meant, or whether it is that of an application key. Names are as shown to people.
package enum IDDoubt: Hashable, Sendable {
  /// The member of this name is twice in an object.
  case memberTwice(String)
  /// An object has different ids in `id` and `uuid`.
  case differentIDs
  /// A record has different ids in the columns `uuid` and `id`.
  case differentColumns
  /// An object has an id, and another one under a name that says nothing.
  case unnamedBeside
  /// An object has an id, and no key in its array of this name.
  case noKeysIn(String)
  /// An object has an id, and not the array of this name in which others have their keys.
  case unlikeOthers(String)
  /// An object has an id, and ids in arrays of these names.
  case besideArrays([String])
  /// An object has ids in arrays of these names.
  case arrays([String])
  /// Arrays in the array of this name are the rows of a table.
  case table(rows: Int, ids: Int, in: String)
  /// The titles of a table name no column of keys, or two: why.
  case titles(String)
  /// The name of the id says nothing.
  case unknownName(String)
  /// A name of something else, with ids below it.
  case otherHeading(String)
  /// There is a second id, in the place of a name; the one in this column was taken.
  case idForName(takenColumn: String)
}

extension IDDoubt: CustomStringConvertible {
  package var description: String {
    switch self {
    case .memberTwice(let name): "an object with the member \"\(name)\" twice"
    case .differentIDs: "different ids in \"id\" and \"uuid\": keep only that of the application key"
    case .differentColumns:
      "different ids in \"uuid\" and \"id\": name the column of the application keys' ids app_key_id"
    case .unnamedBeside: "an id under another name beside that of the object: keep only one"
    case .noKeysIn(let name):
      "an object with an id of its own and no key in \"\(name)\"; a key's own id is app_key_id"
    case .unlikeOthers(let name):
      "an object with an id of its own, without the keys that others have in \"\(name)\""
    case .besideArrays(let names):
      "both an id of its own and ids in \(Self.shown(names)): keep only the ids of application keys"
    case .arrays(let names):
      "arrays of ids in \(Self.shown(names)): keep only the one with the ids of application keys"
    case .table(let rows, let ids, let name):
      "a table without a header: \(rows) arrays in \"\(name)\" have \(ids) ids each"
    case .titles(let message): message
    case .unknownName(let name):
      "the name \"\(name)\" does not say that this is the id of an application key; "
        + "name it app_key_id, or write only the id"
    case .otherHeading(let name): "\"\(name)\" is not a name of application keys"
    case .idForName(let column):
      "only the id in column \(column) was taken: another id is in the place of a name"
    }
  }

  private static func shown(_ names: [String]) -> String {
    names.prefix(4).map { "\"\($0)\"" }.joined(separator: " and ")
  }
}
