/// One open array or object of a JSON list that can hold key ids. Others are not kept: they are skipped by counting
/// brackets, so that memory use does not depend on the list.
struct JSONContainer {
  enum Role {
    /// A top-level array, with the arrays in it: its elements are strings, key objects or answers of the API.
    case list
    /// An object that is a key, or an answer of the API whose keys are in `data`.
    case answer
    /// The array `data` of an answer, with the arrays in it.
    case data
    /// An object in `data`, or `data` itself.
    case item
  }

  enum Member: UInt8 {
    case id, uuid, keyID, appKeyID, data, type, errors
    /// May say what the object is, or something else.
    case kind
    case other
  }

  /// What an object waits for.
  enum Expectation {
    case nameOrEnd, colon, value, commaOrEnd
  }

  /// How deep objects and arrays may be nested inside an object.
  static let deepest = 64

  let role: Role
  /// The line on which it begins.
  let line: Int
  /// Only for objects: arrays take elements and commas in any order, since a missing comma does not make a key unclear.
  var expects = Expectation.nameOrEnd
  var member = Member.other
  /// Only for arrays: the line of something that is not a value and has no comma after it yet.
  var untidyLine: Int?

  /// Only for arrays: how many are open inside it. They take the same elements, so that they are only counted.
  private(set) var innerArrays = 0
  /// How many ids the innermost open array has so far, and those that are closed.
  private var row = 0
  private(set) var rows = IDRows()

  private var id: (entry: KeyListEntry, member: Member)?
  /// It is a record of its own, whose id is not known: ids in it are those of other things, unless they are named after keys.
  var hasNullID = false
  /// `id` and `uuid` are different ids.
  private var hasTwoIDs = false
  private var appKeyID: KeyListEntry?
  /// An array or object in the place of a key id.
  private var misplaced: KeyListEntry?
  private var data: KeyListEntry?
  private var type: JSONType?
  /// The name, as spelled, of the most specific member with an id, once there is another with one.
  private(set) var chosen: String?
  /// The current member's name, where somebody asks for `chosen`.
  var memberName: [UInt8] = []
  private var idName: [UInt8] = []
  /// A deciding member that appears twice.
  private var twice: String?
  /// A bit for each member that was seen.
  private var seen: UInt8 = 0
  private(set) var hasDataArray = false
  /// It contains an object or an array: a brace too many inside would close this one.
  var hasNested = false
  /// An array or object in it is named after keys.
  var hasKeysMember = false
  /// The name, for display, of an array in it that is named after keys.
  var keysName: String?
  /// A member with another name has an id.
  var hasUnnamedID = false
  /// Why an otherwise complete object is not used.
  var flaw: InvalidReason?
  private var hasErrors = false
  /// An array in it has arrays, which may be the rows of a table.
  var isTable = false
  /// A title of such a table, for display, that says that it has ids of something else.
  var otherTitle: String?

  init(role: Role, line: Int) {
    self.role = role
    self.line = line
  }

  var isArray: Bool { role == .list || role == .data }

  mutating func openArray() {
    innerArrays += 1
    row = 0
  }

  /// False when the array itself is closed.
  mutating func closeArray() -> Bool {
    // Longer ones are pages.
    if row <= 6 { rows.add(row) }
    row = 0
    guard innerArrays > 0 else { return false }
    innerArrays -= 1
    return true
  }

  mutating func noteElement(_ entry: KeyListEntry) {
    if case .key = entry { row += 1 }
  }

  /// True when the value of the current member can be a key id.
  var wantsID: Bool {
    switch member {
    case .id, .uuid, .keyID, .appKeyID: true
    case .data, .type, .kind, .errors, .other: false
    }
  }

  /// True when the current member is the `data` of an answer, for the first time.
  var wantsData: Bool { role == .answer && member == .data && twice == nil && flaw == nil && !isTable }

  /// True when the current member says what the object is.
  var wantsType: Bool { member == .type || member == .kind }

  mutating func beginMember(_ name: [UInt8]) {
    member = Self.member(named: name)
    if member == .other || member == .kind { return }
    if member == .data, role != .answer { return }
    let bit = UInt8(1) << member.rawValue
    if seen & bit != 0, twice == nil { twice = InvalidLine.shown(name, characters: 40) }
    seen |= bit
  }

  /// Keeps the value of the current member: a key id, or what is in its place. The more specific name counts.
  mutating func keep(_ entry: KeyListEntry) {
    noteName()
    if member == .appKeyID {
      appKeyID = entry
    } else if let other = id, other.member != .keyID, member != .keyID {
      // Neither `id` nor `uuid` is more specific: a number beside an id is the database's.
      guard case .key(let one, _) = entry else { return }
      guard case .key(let known, _) = other.entry else {
        id = (entry, member)
        return
      }
      if one != known { hasTwoIDs = true }
    } else if id.map({ $0.member.rawValue < member.rawValue }) ?? true {
      id = (entry, member)
    }
  }

  private mutating func noteName() {
    let known = appKeyID == nil ? id?.member : .appKeyID
    let isBetter = known.map { $0.rawValue < member.rawValue } ?? true
    if isBetter { idName = memberName }
    if known != nil, !idName.isEmpty { chosen = InvalidLine.shown(idName, characters: 40) }
  }

  /// Keeps an array or object in the place of a key id: what to report unless there are ids in it.
  mutating func keepMisplaced(_ entry: KeyListEntry) {
    misplaced = entry
  }

  /// Notes that the value of the member `errors` is not empty.
  mutating func noteErrors() {
    hasErrors = true
  }

  /// Keeps what the object says it is.
  mutating func keepType(_ text: [UInt8]) {
    if member == .type || JSONType.isOther(named: text) { type = JSONType(text) }
  }

  /// Keeps what the object `data` of an answer named.
  mutating func keepData(_ entry: KeyListEntry?) {
    data = entry
  }

  /// Notes that the keys come from the array `data`.
  mutating func beginDataArray() {
    hasDataArray = true
  }

  /// True when the closed object names neither a key in a known place nor an error.
  var namesNothing: Bool {
    named == nil && !hasDataArray && !hasErrors && twice == nil && flaw == nil && type?.otherThing == nil
      && (!hasNullID || hasKeysMember)
  }

  /// True when its keys, if it has any, may be those in the rows of a table.
  var mayBeTable: Bool {
    isTable && !hasDataArray && !hasErrors && twice == nil && flaw == nil && type?.otherThing == nil
  }

  /// The id of the object, if it may be that of something else because a member is named after keys. Nil for an object
  /// that says what it is.
  var ownID: JSONAside.OwnID? {
    guard hasKeysMember, twice == nil, flaw == nil, type == nil, let named else { return nil }
    return JSONAside.OwnID(entry: named, isSpecific: isSpecific, keysName: keysName)
  }

  private var isSpecific: Bool { appKeyID != nil || id?.member == .keyID }

  /// Whether nothing but an `id` or `uuid` says what the object is.
  var isVague: Bool { !isSpecific && type == nil && flaw == nil && twice == nil && !hasDataArray && id != nil }

  /// What the object names once it is closed: `app_key_id`, else what is in `data`, else `id`, in any order of members.
  /// Nil when it names nothing.
  var named: KeyListEntry? {
    if let twice { return invalid(.unclear(.memberTwice(twice))) }
    if let flaw { return invalid(flaw) }
    if let known = appKeyID ?? data { return known }
    guard let id else { return nil }
    if hasTwoIDs, id.member != .keyID, type?.otherThing == nil {
      return invalid(.unclear(.differentIDs))
    }
    return type?.otherThing.map { invalid(.other(.object($0))) } ?? id.entry
  }

  /// What to report about the closed object. Nil when its keys were reported from its array `data`.
  var entry: KeyListEntry? {
    if hasDataArray { return twice == nil && flaw == nil ? nil : named }
    if let named { return named }
    if let other = type?.otherThing { return invalid(.other(.object(other))) }
    if let misplaced { return misplaced }
    if hasErrors { return invalid(.value(.apiError)) }
    return invalid(.value(.noID(hasUnnamed: hasUnnamedID)))
  }

  private func invalid(_ reason: InvalidReason) -> KeyListEntry {
    .invalid(InvalidLine(line: line, text: "{…}", reason: reason))
  }
}
