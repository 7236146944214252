/// Reads an object again that names no key in the usual places: it may have its ids in an array somewhere inside, as
/// the output of `terraform output -json` does, or be a Terraform state.
///
/// The meaning of the object is known only at its end, so it is read twice: first to find out what there is, then to
/// return it.
struct JSONAside {
  private enum Plan {
    case array(Int)
    case state
    case invalid(KeyListEntry?)
    case over
  }

  private let begin: ListBytes
  private let line: Int
  private let otherwise: KeyListEntry?
  private var plan: Plan?
  private var walk: JSONWalk

  /// - Parameters:
  ///   - begin: The list from after the object's opening brace.
  ///   - otherwise: What to report when the object has no ids inside either.
  init(of begin: ListBytes, line: Int, otherwise: KeyListEntry?) {
    self.begin = begin
    self.line = line
    self.otherwise = otherwise
    walk = JSONWalk(begin, line: line)
  }

  mutating func next() throws(KeyListError) -> KeyListEntry? {
    let plan = if let plan { plan } else { try survey() }
    self.plan = plan
    switch plan {
    case .over: return nil
    case .invalid(let entry):
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
    while let found = try walk.next() {
      guard case .key = found.entry else { continue }
      if found.isStateKey { stateKeys += 1 }
      if arrays.count < 8, !arrays.contains(where: { $0.array == found.array }) { arrays.append(found) }
    }
    defer { walk = JSONWalk(begin, line: line) }
    if let flaw = walk.flaw { return .invalid(invalid(flaw.reason)) }
    if walk.isState {
      return stateKeys > 0 ? .state : .invalid(invalid("a Terraform state without a datadog_application_key"))
    }
    return choice(of: arrays)
  }

  /// The array that holds key ids: the only one with a fitting name, or the only one at all.
  private func choice(of arrays: [JSONWalk.Found]) -> Plan {
    let named = arrays.filter { $0.meaning == .keys }
    if named.count == 1, let only = named.first { return .array(only.array) }
    guard let first = arrays.first else { return .invalid(otherwise) }
    if arrays.count > 1 {
      let names = arrays.prefix(4).map { "\"\($0.name)\"" }.joined(separator: " and ")
      return .invalid(invalid("arrays of ids in \(names): keep only the one with the ids of application keys"))
    }
    if first.meaning == .other {
      return .invalid(invalid("the ids in \"\(first.name)\" are not those of application keys"))
    }
    return .array(first.array)
  }

  private func invalid(_ reason: String) -> KeyListEntry {
    .invalid(InvalidLine(line: line, text: "{…}", reason: reason))
  }
}
