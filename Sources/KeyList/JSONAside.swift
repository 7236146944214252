import Registration

/// Reads an object again that names no key in the usual places: it may have its ids in an array somewhere inside, as
/// the output of `terraform output -json` does, or be a Terraform state. So is an object with an id of its own that also
/// has a member named after keys: then the id is that of a user or an export.
///
/// The meaning of the object is known only at its end, so it is read twice: first to find out what there is, then to
/// return it.
struct JSONAside {
  /// The id of the object itself.
  struct OwnID {
    var entry: KeyListEntry
    /// The member's name says that it is a key's.
    var isSpecific: Bool
    /// The name, for display, of an array beside it that is named after keys.
    var keysName: String?
  }

  private enum Plan {
    case array(Int)
    case table(Int, JSONTable)
    case state
    case one(KeyListEntry?)
    case over
  }

  private let begin: ListBytes
  private let line: Int
  private let otherwise: KeyListEntry?
  private let own: OwnID?
  private var plan: Plan?
  private var walk: JSONWalk
  /// The name, for display, of the array whose keys are taken instead of the object's own id.
  private(set) var holder: String?

  /// - Parameters:
  ///   - begin: The list from after the object's opening brace.
  ///   - otherwise: What to report when the object has no ids inside either.
  ///   - own: The object's own id, if it has one beside a member named after keys.
  init(of begin: ListBytes, line: Int, otherwise: KeyListEntry?, own: OwnID? = nil) {
    self.begin = begin
    self.line = line
    self.otherwise = otherwise
    self.own = own
    walk = JSONWalk(begin, line: line, isBesideID: own != nil)
  }

  mutating func next() throws(KeyListError) -> KeyListEntry? {
    let plan = if let plan { plan } else { try survey() }
    self.plan = plan
    switch plan {
    case .over: return nil
    case .one(let entry):
      self.plan = .over
      return entry
    case .array(let number):
      while let found = try walk.next() { if found.array == number { return found.entry } }
      return nil
    case .table(let number, let table):
      if walk.reading == nil { walk.reading = (number, table) }
      while let found = try walk.next() { if found.isRow { return found.entry } }
      return nil
    case .state:
      while let found = try walk.next() { if found.isStateKey { return found.entry } }
      return nil
    }
  }

  private mutating func survey() throws(KeyListError) -> Plan {
    var arrays: [JSONWalk.Found] = []
    var stateKeys = 0
    var isOwnOnly = true
    while let found = try walk.next() {
      guard case .key(let id, _) = found.entry else { continue }
      if found.meaning == .keys, id != own?.id { isOwnOnly = false }
      if found.isStateKey { stateKeys += 1 }
      if arrays.count < 8, !arrays.contains(where: { $0.array == found.array }) { arrays.append(found) }
    }
    if own == nil, case .key = otherwise {
      let tables = walk.flaw == nil ? arrays.filter { walk.table(of: $0.array) != nil } : []
      return .one(tables.isEmpty ? otherwise : invalid(.unclear(.besideArrays(tables.map(\.name)))))
    }
    for found in arrays where walk.table(of: found.array) == nil {
      guard let table = walk.rows[found.array]?.table else { continue }
      return .one(invalid(.unclear(.table(rows: table.rows, ids: table.ids, in: found.name))))
    }
    let surveyed = walk
    defer { walk = JSONWalk(begin, line: line, isBesideID: own != nil) }
    if let flaw = walk.flaw { return .one(invalid(.value(flaw))) }
    if walk.isState {
      return stateKeys > 0 ? .state : .one(invalid(.value(.stateWithoutKey)))
    }
    guard let own else { return table(in: choice(of: arrays), surveyed) }
    if isOwnOnly, arrays.isEmpty, !own.isSpecific, own.id != nil, let name = own.keysName {
      return .one(invalid(.unclear(.noKeysIn(name))))
    }
    return isOwnOnly
      ? .one(own.entry) : table(in: choice(of: arrays.filter { $0.meaning == .keys }, beside: own), surveyed)
  }

  /// `plan`, or how to read the array in it if it is a table.
  private func table(in plan: Plan, _ surveyed: JSONWalk) -> Plan {
    guard case .array(let number) = plan else { return plan }
    if let table = surveyed.table(of: number) {
      return table.refusal.map { .one(invalid($0)) } ?? .table(number, table)
    }
    return surveyed.otherTitle.map { .one(invalid(.other(.column($0)))) } ?? plan
  }

  /// `arrays` are those named after keys, at least one.
  private mutating func choice(of arrays: [JSONWalk.Found], beside own: OwnID) -> Plan {
    if arrays.count == 1, let only = arrays.first, own.id == nil || !own.isSpecific {
      holder = only.name
      return .array(only.array)
    }
    return .one(invalid(.unclear(.besideArrays(arrays.map(\.name)))))
  }

  /// The array that holds key ids: the only one with a fitting name, or the only one at all.
  private func choice(of arrays: [JSONWalk.Found]) -> Plan {
    let named = arrays.filter { $0.meaning == .keys }
    if named.count == 1, let only = named.first { return .array(only.array) }
    guard let first = arrays.first else { return .one(otherwise) }
    if arrays.count > 1 { return .one(invalid(.unclear(.arrays(arrays.map(\.name))))) }
    if first.meaning == .other { return .one(invalid(.other(.array(first.name)))) }
    return .array(first.array)
  }

  private func invalid(_ reason: InvalidReason) -> KeyListEntry {
    .invalid(InvalidLine(line: line, text: "{…}", reason: reason))
  }
}

extension JSONAside.OwnID {
  /// Nil unless it is a key id.
  fileprivate var id: AppKeyID? { if case .key(let id, _) = entry { id } else { nil } }
}
