import Registration

/// Reads consecutive JSON values (lines, arrays, answers of the API) and finds the key ids in them.
///
/// Ids count where a key can be: as top-level strings or objects, in top-level arrays, or in the `data` of an answer.
/// Ids deeper inside (relationships, owners) do not, unless an object contains one array of ids and nothing else that
/// names a key (`JSONAside`). Broken JSON costs its line if the next value can be found; otherwise it ends the list,
/// and the keys before it count.
struct JSONScanner {
  var tokens = JSONTokens()
  var stack: [JSONContainer] = []
  var skipped = JSONSkip()
  var ending = ListEnding()
  /// True while every top-level value ended on the line where it began, and there was one.
  var isLinewise = false
  var hasLongValues = false
  var lastLine = 1
  var isOver = false
  /// Broken JSON was skipped, and no complete value was on one line before or since: what comes may be inside it.
  var isBehindFault = false
  /// The kind of token before the current one.
  var previous: JSONTokens.Kind?
  /// The list from after the brace of the open object, which may have to be read again.
  private var origin: ListBytes?
  /// `JSONContainer.chosen` of the latest object.
  var chosen: String?
  /// The table whose rows are read, and how many arrays are open in one of them.
  var table: JSONTable?
  var rowDepth = 1
  var notesMembers = false
  /// The name, for display, of the array that has the keys of objects with ids of their own. Others are then no keys.
  var holder: String?
  /// Returns the keys of an object that was read to its end.
  private var aside: JSONAside?

  mutating func next(_ bytes: inout ListBytes) throws(KeyListError) -> KeyListEntry? {
    while true {
      if let entry = try nextAside() { return entry }
      if isOver { return nil }
      let token = try tokens.next(&bytes)
      defer { previous = token.kind }
      guard let entry = try take(token, &bytes) else { continue }
      noteEnd(behind: token, bytes)
      return entry
    }
  }

  private mutating func nextAside() throws(KeyListError) -> KeyListEntry? {
    if aside == nil { return nil }
    if let entry = try aside?.next() {
      if notesMembers, holder == nil { holder = aside?.holder }
      return entry
    }
    aside = nil
    return nil
  }

  /// An entry at the very end of the list is settled only if a bracket or a quote closed it.
  private mutating func noteEnd(behind token: JSONTokens.Token, _ bytes: ListBytes) {
    guard bytes.count == 0, !bytes.continues else { return }
    switch token.kind {
    case .endObject, .endArray: break
    case .string where stack.isEmpty: break
    case .scalar, .garbage, .openString, .end: ending.touchEnd()
    default: ending.isUnsettled = true
    }
  }

  private mutating func take(
    _ token: JSONTokens.Token, _ bytes: inout ListBytes
  ) throws(KeyListError) -> KeyListEntry? {
    if token.kind == .end { return try cutOff(&bytes) }
    lastLine = token.line
    if try beginsAnew(token, &bytes) { return restart(at: token, bytes) }
    if token.kind == .openString || token.kind == .garbage, !stack.isEmpty {
      try bytes.fill()
      if bytes.count == 0 { return try cutOff(&bytes, text: tokens.text) }
    }
    if skipped.isInside { return try skip(token, &bytes) }
    if table != nil || token.kind == .beginArray, let entry = try takeInTable(token, &bytes) { return entry }
    if stack.isEmpty { return try outermost(token, &bytes) }
    return stack[stack.count - 1].isArray ? try element(token, &bytes) : try member(token, &bytes)
  }

  private mutating func outermost(
    _ token: JSONTokens.Token, _ bytes: inout ListBytes
  ) throws(KeyListError) -> KeyListEntry? {
    switch token.kind {
    case .beginObject: open(.answer, token, bytes)
    case .beginArray: open(.list, token, bytes)
    case .comma: break
    case .string:
      if try tokens.isBefore(UInt8(ascii: ":"), &bytes) {
        return try fault(token, &bytes, .outerName)
      }
      if isBehindFault, !isLinewise { return invalid(token, .value(.behindBroken)) }
      endValue(begun: token.line)
      return key(token)
    case .scalar:
      endValue(begun: token.line)
      return misplaced(token)
    default:
      return try fault(token, &bytes, .badBeginning)
    }
    return nil
  }

  mutating func open(_ role: JSONContainer.Role, _ token: JSONTokens.Token, _ bytes: ListBytes) {
    stack.append(JSONContainer(role: role, line: token.line))
    if role == .answer || role == .item { origin = bytes }
  }

  private mutating func element(
    _ token: JSONTokens.Token, _ bytes: inout ListBytes
  ) throws(KeyListError) -> KeyListEntry? {
    let top = stack.count - 1
    switch token.kind {
    case .beginObject: open(stack[top].role == .data ? .item : .answer, token, bytes)
    case .beginArray: stack[top].openArray()
    case .comma: stack[top].untidyLine = nil
    case .endArray:
      if !stack[top].closeArray() { return close() }
    case .string:
      if stack[top].untidyLine == token.line {
        return invalid(token, .json(.behindNoValue))
      }
      if try tokens.isBefore(UInt8(ascii: ":"), &bytes) {
        return try fault(token, &bytes, .nameInArray)
      }
      return key(token)
    case .garbage, .openString:
      stack[top].untidyLine = token.line
      return misplaced(token)
    case .scalar: return misplaced(token)
    case .colon: return try fault(token, &bytes, .colonInArray)
    case .endObject, .end: return try fault(token, &bytes, .braceForBracket)
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
      if notesMembers { stack[top].memberName = tokens.text }
      stack[top].expects = .colon
    case (.colon, .colon):
      stack[top].expects = .value
    case (.commaOrEnd, .comma):
      stack[top].expects = .nameOrEnd
    case (.nameOrEnd, .endObject), (.commaOrEnd, .endObject):
      if try isClosedTooEarly(&bytes) { return try fault(token, &bytes, .earlyBrace) }
      if previous == .comma { stack[top].flaw = .json(.commaBeforeBrace) }
      return close()
    case (.value, .string), (.value, .scalar), (.value, .beginObject), (.value, .beginArray):
      stack[top].expects = .commaOrEnd
      if stack[top].member == .errors, try !isEmpty(token, &bytes) { stack[top].noteErrors() }
      try memberValue(token, &bytes)
    case (.nameOrEnd, _): return try fault(token, &bytes, .noName)
    case (.colon, _): return try fault(token, &bytes, .noColon)
    case (.value, _): return try fault(token, &bytes, .noValue)
    case (.commaOrEnd, _): return try fault(token, &bytes, .noComma)
    }
    return nil
  }

  private mutating func memberValue(
    _ token: JSONTokens.Token, _ bytes: inout ListBytes
  ) throws(KeyListError) {
    let top = stack.count - 1
    let isNested = token.kind == .beginArray || token.kind == .beginObject
    if token.kind == .beginArray { try noteArray(&bytes) }
    if stack[top].wantsData { origin = nil }
    if isNested {
      stack[top].hasNested = true
      if !stack[top].wantsData, IDName.holdsKeys(tokens.text) { noteKeysMember(isArray: token.kind == .beginArray) }
    }
    switch token.kind {
    case .beginArray where stack[top].wantsData:
      stack[top].beginDataArray()
      open(.data, token, bytes)
    case .beginObject where stack[top].wantsData:
      open(.item, token, bytes)
    case .beginArray, .beginObject:
      if stack[top].wantsID { stack[top].keepMisplaced(misplaced(token)) }
      skipped.open(token.kind)
    case .string where stack[top].wantsID:
      stack[top].keep(key(token))
    case .string where stack[top].wantsType:
      stack[top].keepType(tokens.text)
    case .scalar where stack[top].wantsID:
      if tokens.text.elementsEqual("null".utf8) {
        stack[top].hasNullID = true
      } else {
        stack[top].keep(misplaced(token))
      }
    case .string where KeyIDBytes.id(tokens.text[...]) != nil: stack[top].hasUnnamedID = true
    default: break
    }
  }

  mutating func close() -> KeyListEntry? {
    guard let closed = stack.popLast() else { return nil }
    if !closed.isArray { chosen = closed.chosen }
    let begin = closed.isArray ? nil : origin
    if !closed.isArray { origin = nil }
    if stack.isEmpty { endValue(begun: closed.line) }
    if closed.isArray { return nil }
    if let own = closed.ownID, let begin {
      if !stack.isEmpty, !stack[stack.count - 1].isArray { stack[stack.count - 1].beginDataArray() }
      aside = JSONAside(of: begin, line: closed.line, otherwise: closed.entry, own: own)
      return nil
    }
    if let entry = withoutKeys(closed) { return entry }
    if !stack.isEmpty, !stack[stack.count - 1].isArray {
      stack[stack.count - 1].keepData(closed.named)
      return nil
    }
    if closed.role == .answer, closed.mayBeTable || closed.namesNothing && closed.hasNested, let begin {
      aside = JSONAside(of: begin, line: closed.line, otherwise: closed.entry)
      return nil
    }
    return closed.entry
  }

  private mutating func endValue(begun line: Int) {
    if line != lastLine { hasLongValues = true }
    isLinewise = !hasLongValues
  }

  func key(_ token: JSONTokens.Token) -> KeyListEntry {
    JSONEntry.key(tokens, line: token.line)
  }

  /// What is in the place of a key.
  func misplaced(_ token: JSONTokens.Token) -> KeyListEntry {
    JSONEntry.misplaced(token, tokens)
  }

  func invalid(_ token: JSONTokens.Token, _ reason: InvalidReason) -> KeyListEntry {
    JSONEntry.invalid(tokens, line: token.line, reason)
  }
}
