/// Where an id is said to be that of something else than an application key. Names are as shown to people.
package enum OtherThing: Hashable, Sendable {
  /// It has this name.
  case named(String)
  /// It is behind this name on its line.
  case behind(String)
  /// It is below this name.
  case below(String)
  /// It is that of a Terraform resource of this kind.
  case resource(String)
  /// The type in its record is this one.
  case type(String)
  /// It is in an object which is this, with an article.
  case object(String)
  /// It is in the array of this name.
  case array(String)
  /// Rows whose ids are in a column of this title.
  case column(String)
}

extension OtherThing: CustomStringConvertible {
  package var description: String {
    switch self {
    case .named(let name): "\(Self.notAKey): it is named \"\(name)\""
    case .behind(let name): "\(Self.notAKey): it is behind the name \"\(name)\""
    case .below(let name): "\(Self.notAKey): it is below the name \"\(name)\""
    case .resource(let kind): "\(Self.notAKey): it is that of a \(kind)"
    case .type(let type): "\(Self.notAKey): its type is \"\(type)\"; if it is, name the column app_key_id"
    case .object(let thing): "\(thing), not an application key"
    case .column(let title): "a table whose column \"\(title)\" is not that of application keys"
    case .array(let name):
      "the ids in \"\(name)\" are not those of application keys; if they are, name them app_key_ids"
    }
  }

  private static let notAKey = "not the id of an application key"
}
