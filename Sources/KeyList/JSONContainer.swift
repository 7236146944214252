/// One open array or object of a JSON list that can hold key ids. What cannot is not kept: it is skipped by counting
/// brackets, so that memory stays the same whatever the list does.
struct JSONContainer {
  enum Role {
    /// An array outside of everything, or in such an array: its elements are strings, key objects or answers of the API.
    case list
    /// An object that is a key, or an answer of the API whose keys are in `data`.
    case answer
    /// The array `data` of an answer, or an array in it.
    case data
    /// An object in `data`, or `data` itself.
    case item
  }

  enum Member: UInt8 {
    case id, appKeyID, data, type, errors, other
  }

  /// What an object waits for.
  enum Expectation {
    case nameOrEnd, colon, value, commaOrEnd
  }

  /// How deep arrays may lie in one another.
  static let deepest = 64

  let role: Role
  /// The line on which it begins.
  let line: Int
  /// Of objects only: arrays take elements and commas in any order, since a forgotten comma does not make a key unclear.
  var expects = Expectation.nameOrEnd
  var member = Member.other
  /// Of arrays only: the line on which something that is no value stands, with no comma behind it yet.
  var untidyLine: Int?

  private var id: KeyListEntry?
  private var appKeyID: KeyListEntry?
  private var data: KeyListEntry?
  private var type: JSONType?
  /// A member that is given twice, of those that decide.
  private var twice: String?
  /// A bit for each member that was given.
  private var seen: UInt8 = 0
  private(set) var hasDataArray = false
  /// An object or an array stands in it: a brace too many inside closes this one.
  var hasNested = false
  /// Why nothing is taken from an object that is whole otherwise.
  var flaw: String?
  private var hasErrors = false

  init(role: Role, line: Int) {
    self.role = role
    self.line = line
  }

  var isArray: Bool { role == .list || role == .data }

  /// True when the value of the present member can be a key id.
  var wantsID: Bool { member == .id || member == .appKeyID }

  /// True when the present member is the `data` of an answer, for the first time.
  var wantsData: Bool { role == .answer && member == .data && twice == nil }

  /// True when the present member says what the object is.
  var wantsType: Bool { member == .type }

  mutating func beginMember(_ name: [UInt8]) {
    member = Self.member(named: name)
    if member == .other { return }
    if member == .errors { hasErrors = true }
    if member == .data, role != .answer { return }
    let bit = UInt8(1) << member.rawValue
    if seen & bit != 0, twice == nil { twice = InvalidLine.shown(name, characters: 40) }
    seen |= bit
  }

  static func member(named name: [UInt8]) -> Member {
    switch name.count {
    case 2: name.elementsEqual("id".utf8) ? .id : .other
    case 4: name.elementsEqual("data".utf8) ? .data : name.elementsEqual("type".utf8) ? .type : .other
    case 6: name.elementsEqual("errors".utf8) ? .errors : .other
    case 8: name.elementsEqual("appKeyId".utf8) ? .appKeyID : .other
    case 10: name.elementsEqual("app_key_id".utf8) ? .appKeyID : .other
    case 16: name.elementsEqual("applicationKeyId".utf8) ? .appKeyID : .other
    case 18: name.elementsEqual("application_key_id".utf8) ? .appKeyID : .other
    default: .other
    }
  }

  /// Keeps the value of the present member, a key id or what stands in its place.
  mutating func keep(_ entry: KeyListEntry) {
    if member == .appKeyID { appKeyID = entry } else { id = entry }
  }

  /// Keeps what the object says that it is.
  mutating func keepType(_ text: [UInt8]) {
    type = JSONType(text)
  }

  /// Keeps what the object `data` of an answer named.
  mutating func keepData(_ entry: KeyListEntry?) {
    data = entry
  }

  /// Notes that the keys come from the array `data`.
  mutating func beginDataArray() {
    hasDataArray = true
  }

  /// True when the closed object says nothing of a key in a place that we know, nor of an error.
  var namesNothing: Bool { named == nil && !hasDataArray && !hasErrors && twice == nil && flaw == nil }

  /// What the object names once it is closed: `app_key_id`, else what is in `data`, else `id`. The members' order does
  /// not matter. Nil when it names nothing.
  var named: KeyListEntry? {
    if let twice { return invalid("an object with the member \"\(twice)\" twice") }
    if let flaw { return invalid(flaw) }
    if let known = appKeyID ?? data { return known }
    guard let id else { return nil }
    return type?.otherThing.map { invalid("\($0), not an application key") } ?? id
  }

  /// What to report of the closed object. Nil when its keys were reported from its array `data`.
  var entry: KeyListEntry? {
    if hasDataArray { return twice == nil && flaw == nil ? nil : named }
    if let named { return named }
    if let other = type?.otherThing { return invalid("\(other), not an application key") }
    return invalid(hasErrors ? "an error of the API in place of keys" : "an object without \"id\" or \"app_key_id\"")
  }

  private func invalid(_ reason: String) -> KeyListEntry {
    .invalid(InvalidLine(line: line, text: "{…}", reason: reason))
  }
}
