/// What the name of a member says about the ids in it.
enum JSONName {
  enum Meaning: Hashable {
    case keys, other, unknown
  }

  /// Words in the names of things that have ids and are not application keys.
  private static let others = [
    "user", "owner", "org", "team", "role", "account", "member", "apikey", "token", "people", "person", "dashboard",
    "monitor", "host", "channel", "polic", "permission", "group", "relationship",
  ]

  /// Names that are those of keys when the object that has the member has an id of its own.
  private static let besideAnID = ["ids", "uuids", "key", "keys", "key id", "key ids", "keyid", "keyids"]

  /// - Parameters:
  ///   - outer: The meaning of the surrounding names: an output is named after its content, the array in it is always
  ///     `value`.
  ///   - isBesideID: The object has an id of its own, so less specific names also mark its keys.
  static func meaning(of name: [UInt8], in outer: Meaning, isBesideID: Bool = false) -> Meaning {
    let letters = letters(of: name)
    if isOfKeys(letters) || isBesideID && isBesideAnID(name) { return .keys }
    if others.contains(where: letters.contains) { return .other }
    return outer
  }

  /// Whether the array or object of this name in an object with an id of its own holds the keys, so that the id is that
  /// of something else: a user, an export.
  static func holdsKeys(_ name: [UInt8]) -> Bool {
    guard name.count <= 200 else { return false }
    return isKey(name) || isBesideAnID(name)
  }

  /// Whether an object of this name is an application key.
  static func isKey(_ name: [UInt8]) -> Bool { isOfKeys(letters(of: name)) }

  /// Whether `name` is that of an application key or its id, whatever comes before and with a number or not:
  /// `TEAM_A_APP_KEY_ID_2`, but not `app_key_owner_id`.
  static func isOfOneKey(_ name: [UInt8]) -> Bool {
    let letters = Array(letters(of: name).utf8)
    let key = ["applicationkey", "appkey"].lazy.compactMap { letters.firstRange(of: Array($0.utf8)) }.first
    guard var end = key.map({ letters[$0.upperBound...] }) else { return false }
    while let last = end.last, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(last) { end.removeLast() }
    return ["", "s", "id", "ids", "uuid", "uuids"].contains { end.elementsEqual($0.utf8) }
  }

  private static func isOfKeys(_ letters: String) -> Bool {
    letters.contains("appkey") || letters.contains("applicationkey")
  }

  private static func isBesideAnID(_ name: [UInt8]) -> Bool {
    let words = name.map { $0 == UInt8(ascii: "_") || $0 == UInt8(ascii: "-") ? UInt8(ascii: " ") : $0 }
    return besideAnID.contains(String(decoding: words, as: UTF8.self).lowercased())
  }

  private static func letters(of name: [UInt8]) -> String {
    String(
      decoding: name.filter { $0 != UInt8(ascii: "_") && $0 != UInt8(ascii: "-") && $0 != UInt8(ascii: " ") },
      as: UTF8.self
    ).lowercased()
  }
}
