/// Which member of an object a name is.
extension JSONContainer {
  static func member(named name: [UInt8]) -> Member {
    switch name.count {
    case 2 where name.elementsEqual("id".utf8): .id
    case 4 where name.elementsEqual("data".utf8): .data
    case 4 where name.elementsEqual("type".utf8, by: { $0 | 0x20 == $1 }): .type
    case 6 where name.elementsEqual("errors".utf8): .errors
    case 4 where name.elementsEqual("kind".utf8, by: { $0 | 0x20 == $1 }): .kind
    case 6 where name.elementsEqual("object".utf8): .kind
    case 5 where name.elementsEqual("@type".utf8): .kind
    case 10...13 where name.last == UInt8(ascii: "e") && kinds.contains { name.elementsEqual($0.utf8) }: .kind
    case 2...24: spelledFreely(name)
    default: .other
    }
  }

  private static let kinds = [
    "object_type", "resource_type", "asset_type", "entity_type", "resourceType", "objectType", "assetType",
    "entityType",
    "__typename",
  ]

  /// The same names as in the header of a CSV list, in any spelling.
  private static func spelledFreely(_ name: [UInt8]) -> Member {
    guard name.last.map({ $0 | 0x20 == UInt8(ascii: "d") }) == true else { return .other }
    return switch CSVHeader.rank(of: name) {
    case 0: .appKeyID
    case 1: .keyID
    case 2: .uuid
    case 3: .id
    default: .other
    }
  }
}
