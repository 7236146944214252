extension JSONScanner {
  /// What the first visible bytes of a list, its `beginning`, say about all of it: the member that is taken in the first
  /// object with a key, if it has several ids; and the member that has the keys of objects which are something else.
  static func survey(of beginning: ArraySlice<UInt8>) throws(KeyListError) -> (member: String?, holder: String?) {
    var (scanner, bytes) = (JSONScanner(), ListBytes(source: MemorySource(beginning)))
    scanner.notesMembers = true
    var member: String??
    while let entry = try scanner.next(&bytes) {
      if member == nil, case .key = entry { member = .some(scanner.chosen) }
    }
    return (member ?? nil, scanner.holder)
  }

  mutating func noteKeysMember(isArray: Bool) {
    let top = stack.count - 1
    stack[top].hasKeysMember = true
    if isArray { stack[top].keysName = InvalidLine.shown(tokens.text, characters: 40) }
  }

  /// Whether `token` is `null`, another scalar or an empty array: no errors.
  mutating func isEmpty(_ token: JSONTokens.Token, _ bytes: inout ListBytes) throws(KeyListError) -> Bool {
    if token.kind == .beginArray { return try tokens.isBefore(UInt8(ascii: "]"), &bytes) }
    return token.kind == .scalar
  }

  /// Notes an array that begins in an object. The rows of a table are not read before all of the object is known: their
  /// titles may come later.
  mutating func noteArray(_ bytes: inout ListBytes) throws(KeyListError) {
    let top = stack.count - 1
    if JSONTitles.isMember(tokens.text), let title = try JSONTitles.other(in: bytes) { stack[top].otherTitle = title }
    if try tokens.isBefore(UInt8(ascii: "["), &bytes) {
      stack[top].isTable = true
    } else if stack[top].wantsData, let title = stack[top].otherTitle, try tokens.isBefore(UInt8(ascii: "\""), &bytes) {
      stack[top].flaw = .other(.column(title))
    }
  }

  /// What to report about an object that has only an id, in a list in which such ids are not those of keys.
  func withoutKeys(_ closed: JSONContainer) -> KeyListEntry? {
    guard let holder, closed.isVague, case .key = closed.named else { return nil }
    return .invalid(InvalidLine(line: closed.line, text: "{…}", reason: .unclear(.unlikeOthers(holder))))
  }
}
