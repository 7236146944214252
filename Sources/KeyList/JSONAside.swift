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
    for found in arrays {
      guard let table = walk.rows[found.array]?.table else { continue }
      let which = "\(table.rows) arrays in \"\(found.name)\" have \(table.ids) ids each"
      return .one(invalid("a table without a header: \(which)"))
    }
    defer { walk = JSONWalk(begin, line: line, isBesideID: own != nil) }
    if let flaw = walk.flaw { return .one(invalid(flaw.reason)) }
    if walk.isState {
      return stateKeys > 0 ? .state : .one(invalid("a Terraform state without a datadog_application_key"))
    }
    guard let own else { return choice(of: arrays) }
    if isOwnOnly, arrays.isEmpty, !own.isSpecific, own.id != nil, let name = own.keysName {
      return .one(invalid("an object with an id of its own and no key in \"\(name)\"; a key's own id is app_key_id"))
    }
    return isOwnOnly ? .one(own.entry) : choice(of: arrays.filter { $0.meaning == .keys }, beside: own)
  }

  /// `arrays` are those named after keys, at least one.
  private mutating func choice(of arrays: [JSONWalk.Found], beside own: OwnID) -> Plan {
    if arrays.count == 1, let only = arrays.first, own.id == nil || !own.isSpecific {
      holder = only.name
      return .array(only.array)
    }
    let names = arrays.prefix(4).map { "\"\($0.name)\"" }.joined(separator: " and ")
    return .one(
      invalid("both an id of its own and ids in \(names): keep only the ids of application keys"))
  }

  /// The array that holds key ids: the only one with a fitting name, or the only one at all.
  private func choice(of arrays: [JSONWalk.Found]) -> Plan {
    let named = arrays.filter { $0.meaning == .keys }
    if named.count == 1, let only = named.first { return .array(only.array) }
    guard let first = arrays.first else { return .one(otherwise) }
    if arrays.count > 1 {
      let names = arrays.prefix(4).map { "\"\($0.name)\"" }.joined(separator: " and ")
      return .one(invalid("arrays of ids in \(names): keep only the one with the ids of application keys"))
    }
    if first.meaning == .other {
      let reason = "the ids in \"\(first.name)\" are not those of application keys"
      return .one(invalid("\(reason); if they are, name them app_key_ids"))
    }
    return .array(first.array)
  }

  private func invalid(_ reason: String) -> KeyListEntry {
    .invalid(InvalidLine(line: line, text: "{…}", reason: reason))
  }
}

extension JSONAside.OwnID {
  /// Nil unless it is a key id.
  fileprivate var id: AppKeyID? { if case .key(let id, _) = entry { id } else { nil } }
}
