/// One open array or object of a JSON list that can hold key ids. What cannot is not kept: it is skipped by counting
/// brackets, so that this nests four deep at most whatever the list does.
struct JSONContainer {
  enum Role {
    /// An array outside of everything: its elements are strings, key objects or answers of the API.
    case list
    /// An object that is a key, or an answer of the API whose keys are in `data`.
    case answer
    /// The array `data` of an answer.
    case data
    /// An object in `data`, or `data` itself.
    case item
  }

  enum Member {
    case id, appKeyID, data, errors, other
  }

  /// What an object waits for.
  enum Expectation {
    case nameOrEnd, colon, value, commaOrEnd
  }

  let role: Role
  /// The line on which it begins.
  let line: Int
  /// Of objects only: arrays take elements and commas in any order, since a forgotten comma does not make a key unclear.
  var expects = Expectation.nameOrEnd
  var member = Member.other

  private var id: KeyListEntry?
  private var appKeyID: KeyListEntry?
  private var data: KeyListEntry?
  private var hasDataArray = false
  private var hasErrors = false

  init(role: Role, line: Int) {
    self.role = role
    self.line = line
  }

  var isArray: Bool { role == .list || role == .data }

  /// True when the value of the present member can be a key id.
  var wantsID: Bool { member == .id || member == .appKeyID }

  /// True when the present member is the `data` of an answer.
  var wantsData: Bool { role == .answer && member == .data }

  mutating func beginMember(_ name: [UInt8]) {
    member = Self.member(named: name)
    if member == .errors { hasErrors = true }
  }

  private static func member(named name: [UInt8]) -> Member {
    switch name.count {
    case 2: name.elementsEqual("id".utf8) ? .id : .other
    case 4: name.elementsEqual("data".utf8) ? .data : .other
    case 6: name.elementsEqual("errors".utf8) ? .errors : .other
    case 10: name.elementsEqual("app_key_id".utf8) ? .appKeyID : .other
    default: .other
    }
  }

  /// Keeps the value of the present member, a key id or what stands in its place.
  mutating func keep(_ entry: KeyListEntry) {
    if member == .appKeyID { appKeyID = entry } else { id = entry }
  }

  /// Keeps what the object `data` of an answer named.
  mutating func keepData(_ entry: KeyListEntry?) {
    data = entry
  }

  /// Notes that the keys come from the array `data`.
  mutating func beginDataArray() {
    hasDataArray = true
  }

  /// What the object names once it is closed: `app_key_id`, else what is in `data`, else `id`. The members' order does
  /// not matter. Nil when it names nothing.
  var named: KeyListEntry? { appKeyID ?? data ?? id }

  /// What to report of the closed object. Nil when its keys were reported from its array `data`.
  var entry: KeyListEntry? {
    if hasDataArray { return nil }
    if let named { return named }
    let reason =
      hasErrors
      ? "an error of the API in place of keys" : "an object without \"id\" or \"app_key_id\""
    return .invalid(InvalidLine(line: line, text: "{…}", reason: reason))
  }
}
