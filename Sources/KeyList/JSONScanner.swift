import Registration

/// Reads JSON values one after the other (lines, arrays, answers of the API) and finds the key ids in them.
///
/// Ids count where a key can be: as strings or objects outside of everything, in an outermost array, or in the `data` of
/// an answer. Ids further inside (relationships, owners) do not. Broken JSON costs its line where the next value can be
/// found again; else it ends the list, and the keys before it count.
struct JSONScanner {
  private var tokens = JSONTokens()
  private var stack: [JSONContainer] = []
  private var skipped = JSONSkip()
  /// True while every outermost value ended on the line on which it began, and there was one.
  private var isLinewise = false
  private var hasLongValues = false
  private var lastLine = 1
  private var isOver = false

  mutating func next(_ bytes: inout ListBytes) throws(KeyListError) -> KeyListEntry? {
    while !isOver {
      let token = try tokens.next(&bytes)
      if let entry = try take(token, &bytes) { return entry }
    }
    return nil
  }

  private mutating func take(
    _ token: JSONTokens.Token, _ bytes: inout ListBytes
  ) throws(KeyListError) -> KeyListEntry? {
    if token.kind == .end { return cutOff(bytes) }
    lastLine = token.line
    if beginsAnew(token) { return restart(at: token) }
    if token.kind == .openString || token.kind == .garbage, !stack.isEmpty {
      try bytes.fill()
      if bytes.count == 0 { return cutOff(bytes, text: tokens.text) }
    }
    if skipped.isInside { return try skip(token, &bytes) }
    guard let container = stack.last else { return try outermost(token, &bytes) }
    return container.isArray ? try element(token, of: container, &bytes) : try member(token, &bytes)
  }

  // MARK: Values

  private mutating func outermost(
    _ token: JSONTokens.Token, _ bytes: inout ListBytes
  ) throws(KeyListError) -> KeyListEntry? {
    switch token.kind {
    case .beginObject: stack.append(JSONContainer(role: .answer, line: token.line))
    case .beginArray: stack.append(JSONContainer(role: .list, line: token.line))
    case .comma: break
    case .string:
      endValue(begun: token.line)
      return key(token)
    case .scalar:
      endValue(begun: token.line)
      return misplaced(token)
    case .garbage where tokens.text.first == UInt8(ascii: "#"):
      try bytes.skipLine()
    default:
      return try fault(token, &bytes, "a value cannot begin so")
    }
    return nil
  }

  private mutating func element(
    _ token: JSONTokens.Token, of array: JSONContainer, _ bytes: inout ListBytes
  ) throws(KeyListError) -> KeyListEntry? {
    switch token.kind {
    case .beginObject:
      stack.append(JSONContainer(role: array.role == .data ? .item : .answer, line: token.line))
    case .beginArray:
      skipped.open(.beginArray)
      return misplaced(token)
    case .comma: break
    case .endArray: return close()
    case .string: return key(token)
    case .scalar, .garbage, .openString, .colon: return misplaced(token)
    case .endObject, .end: return try fault(token, &bytes, "a brace closes what a bracket opened")
    }
    return nil
  }

  private mutating func member(
    _ token: JSONTokens.Token, _ bytes: inout ListBytes
  ) throws(KeyListError) -> KeyListEntry? {
    let top = stack.count - 1
    switch (stack[top].expects, token.kind) {
    case (.nameOrEnd, .string):
      stack[top].beginMember(tokens.isCut ? [] : tokens.text)
      stack[top].expects = .colon
    case (.colon, .colon):
      stack[top].expects = .value
    case (.commaOrEnd, .comma):
      stack[top].expects = .nameOrEnd
    case (.nameOrEnd, .endObject), (.commaOrEnd, .endObject):
      return close()
    case (.value, .string), (.value, .scalar), (.value, .beginObject), (.value, .beginArray):
      stack[top].expects = .commaOrEnd
      memberValue(token)
    case (.nameOrEnd, _): return try fault(token, &bytes, "the name of a member or a closing brace is missing")
    case (.colon, _): return try fault(token, &bytes, "a colon is missing")
    case (.value, _): return try fault(token, &bytes, "a member has no value")
    case (.commaOrEnd, _): return try fault(token, &bytes, "a comma or a closing brace is missing")
    }
    return nil
  }

  private mutating func memberValue(_ token: JSONTokens.Token) {
    let top = stack.count - 1
    switch token.kind {
    case .beginArray where stack[top].wantsData:
      stack[top].beginDataArray()
      stack.append(JSONContainer(role: .data, line: token.line))
    case .beginObject where stack[top].wantsData:
      stack.append(JSONContainer(role: .item, line: token.line))
    case .beginArray, .beginObject:
      if stack[top].wantsID { stack[top].keep(misplaced(token)) }
      skipped.open(token.kind)
    case .string where stack[top].wantsID:
      stack[top].keep(key(token))
    case .scalar where stack[top].wantsID && !tokens.text.elementsEqual("null".utf8):
      stack[top].keep(misplaced(token))
    default: break
    }
  }

  private mutating func skip(_ token: JSONTokens.Token, _ bytes: inout ListBytes) throws(KeyListError) -> KeyListEntry?
  {
    switch token.kind {
    case .beginArray, .beginObject: skipped.open(token.kind)
    case .endArray, .endObject:
      if !skipped.close(token.kind) { return try fault(token, &bytes, "brackets and braces do not match") }
    case .openString: return try fault(token, &bytes, "a quote is not closed on its line")
    default: break
    }
    return nil
  }

  private mutating func close() -> KeyListEntry? {
    guard let closed = stack.popLast() else { return nil }
    guard let parent = stack.last else {
      endValue(begun: closed.line)
      return closed.isArray ? nil : closed.entry
    }
    if closed.isArray { return nil }
    if parent.isArray { return closed.entry }
    stack[stack.count - 1].keepData(closed.named)
    return nil
  }

  private mutating func endValue(begun line: Int) {
    if line != lastLine { hasLongValues = true }
    isLinewise = !hasLongValues
  }

  // MARK: Entries

  private func key(_ token: JSONTokens.Token) -> KeyListEntry {
    switch KeyIDText.read(tokens.text[...]) {
    case .key(let id) where !tokens.isCut: .key(id, line: token.line)
    case .key, .invalid(KeyIDText.notAnID): invalid(token, KeyIDText.notAnID)
    case .blank: invalid(token, "\(KeyIDText.notAnID): the string is empty")
    case .invalid(let reason): invalid(token, reason)
    }
  }

  /// What stands where a key should.
  private func misplaced(_ token: JSONTokens.Token) -> KeyListEntry {
    switch token.kind {
    case .beginArray: .invalid(InvalidLine(line: token.line, text: "[…]", reason: "an array in place of a key id"))
    case .beginObject: .invalid(InvalidLine(line: token.line, text: "{…}", reason: "an object in place of a key id"))
    case .colon: .invalid(InvalidLine(line: token.line, text: ":", reason: "broken JSON: a colon between values"))
    case .openString: invalid(token, "broken JSON: a quote is not closed on its line")
    case .garbage: invalid(token, "broken JSON: a key id stands in double quotes")
    default: invalid(token, "a number, true, false or null in place of a key id")
    }
  }

  private func invalid(_ token: JSONTokens.Token, _ reason: String) -> KeyListEntry {
    .invalid(InvalidLine(line: token.line, bytes: tokens.text, isCut: tokens.isCut, reason: reason))
  }

  // MARK: Broken JSON

  /// True when `token` is taken for the next line of JSON lines, the line before being cut off: the values before stood on
  /// one line each, or this is the second line of the first. Inside a value that holds no keys the latter does not count:
  /// `{"users":[` and users line by line must not become keys.
  private func beginsAnew(_ token: JSONTokens.Token) -> Bool {
    guard token.isAtMargin, let first = stack.first else { return false }
    guard isLinewise || (token.line == first.line + 1 && !skipped.isInside) else { return false }
    let isInArray = !skipped.isInside && stack.last?.isArray == true
    switch token.kind {
    case .beginObject: return !isInArray
    case .beginArray: return isLinewise || !isInArray
    default: return false
    }
  }

  private mutating func restart(at token: JSONTokens.Token) -> KeyListEntry {
    let line = stack.first?.line ?? token.line
    let text = stack.first?.isArray == true ? "[…" : "{…"
    stack = [JSONContainer(role: token.kind == .beginArray ? .list : .answer, line: token.line)]
    skipped = JSONSkip()
    return .invalid(
      InvalidLine(line: line, text: text, reason: "broken JSON: the value is not closed before the next line"))
  }

  /// Reports `token`, which JSON does not allow here, and moves to where the next value can begin.
  private mutating func fault(
    _ token: JSONTokens.Token, _ bytes: inout ListBytes, _ what: String
  ) throws(KeyListError) -> KeyListEntry {
    if token.isAtMargin, token.kind == .beginObject || token.kind == .beginArray { return restart(at: token) }
    try bytes.fill()
    let isOneLine = stack.first.map { $0.line == token.line } ?? true
    let rest = bytes[0..<min(bytes.firstOffset(of: bytes.lineEnd) ?? bytes.count, InvalidLine.excerptBytes)]
    let text = Edges.trimmed((tokens.shown(token) + rest)[...])
    if isOneLine || isLinewise {
      stack = []
      skipped = JSONSkip()
      try bytes.skipLine()
      return .invalid(InvalidLine(line: token.line, bytes: text, reason: "broken JSON: \(what)"))
    }
    isOver = true
    let reason = "broken JSON: \(what); nothing behind it was read"
    return .invalid(InvalidLine(line: token.line, bytes: text, reason: reason))
  }

  /// The end of the list, in the middle of a value or not.
  private mutating func cutOff(_ bytes: ListBytes, text: [UInt8] = []) -> KeyListEntry? {
    isOver = true
    guard let open = stack.last else { return nil }
    let reason = "broken JSON: the list ends before what begins on line \(open.line) is closed"
    return .invalid(InvalidLine(line: lastLine, bytes: text, reason: reason))
  }
}
