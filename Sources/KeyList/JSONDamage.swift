/// Broken JSON: where reading can continue, and what to report about the loss.
extension JSONScanner {
  /// True when `token` is taken for the next of JSON lines and the line before as cut off: the values before were on
  /// one line each, or this is the second line of the first value. The latter does not count inside a value that holds
  /// no keys: `{"users":[` followed by one user per line must not become keys.
  ///
  /// Where JSON expects a value next, it may also be that value on its own line. Then the line must be complete by
  /// itself, and the next one must not continue what is open.
  func beginsAnew(_ token: JSONTokens.Token, _ bytes: inout ListBytes) throws(KeyListError) -> Bool {
    guard token.isAtMargin, !stack.isEmpty, token.kind == .beginObject || token.kind == .beginArray else {
      return false
    }
    guard isLinewise || (token.line == stack[0].line + 1 && !skipped.isInside) else { return false }
    let isInArray = !skipped.isInside && stack[stack.count - 1].isArray
    guard token.kind == .beginObject ? !isInArray : isLinewise || !isInArray else { return false }
    return isValueDue ? try standsAlone(&bytes) : true
  }

  /// Whether the value that has just begun ends on its line with nothing after it, and what follows closes nothing
  /// more.
  private func standsAlone(_ bytes: inout ListBytes) throws(KeyListError) -> Bool {
    try bytes.fill()
    var offset = 0
    var depth = 1
    var isInString = false
    while offset < bytes.count, depth > 0 {
      let byte = bytes[offset]
      if Edges.isLineEnd(byte) { return isInString }
      switch byte {
      case UInt8(ascii: "\\") where isInString: offset += 1
      case UInt8(ascii: "\""): isInString.toggle()
      case UInt8(ascii: "{") where !isInString, UInt8(ascii: "[") where !isInString: depth += 1
      case UInt8(ascii: "}") where !isInString, UInt8(ascii: "]") where !isInString: depth -= 1
      default: break
      }
      offset += 1
    }
    var isOnLine = true
    while offset < bytes.count {
      let byte = bytes[offset]
      if Edges.isLineEnd(byte) {
        isOnLine = false
      } else if !Edges.isSpace(byte) {
        return !isOnLine && byte != UInt8(ascii: "}") && byte != UInt8(ascii: "]") && byte != UInt8(ascii: ",")
      }
      offset += 1
    }
    return true
  }

  /// True where JSON expects a value next: what comes is that value, on whichever line, and not a new list.
  private var isValueDue: Bool {
    switch previous {
    case .colon, .beginArray: true
    case .comma: skipped.isInside ? skipped.isInArray : stack[stack.count - 1].isArray
    default: false
    }
  }

  /// Whether what follows the closing brace of the innermost object shows that the object was not over. With a brace
  /// too many inside, or one in place of another byte, it would name what comes before that brace.
  ///
  /// After an object comes another value, a bracket, or nothing. A name with its colon is the object's next member. If
  /// the object contains brackets, one of them may have been closed in its place; then another brace, or something that
  /// is not JSON, shows it as well.
  func isClosedTooEarly(_ bytes: inout ListBytes) throws(KeyListError) -> Bool {
    // Inside another object, that one checks it.
    guard stack.count < 2 || stack[stack.count - 2].isArray else { return false }
    try bytes.fill()
    var (ahead, tokens) = (bytes, tokens)
    var token = try tokens.next(&ahead)
    let isBehindComma = token.kind == .comma
    while token.kind == .comma { token = try tokens.next(&ahead) }
    // A new line begins after an object that is on one line.
    if token.isAtMargin, stack[stack.count - 1].line == lastLine { return false }
    switch token.kind {
    case .colon: return true
    case .string: return try tokens.isBefore(UInt8(ascii: ":"), &ahead)
    case .endObject where stack.count == 1: return true
    case .garbage where isBehindComma && token.line > lastLine:
      // A line that is no JSON, and then another value: the object was over.
      let line = token.line
      while token.line == line, token.kind != .end { token = try tokens.next(&ahead) }
      return token.kind != .beginObject
    // An object without members has nothing to lose.
    case .endObject, .garbage, .openString: return stack[stack.count - 1].hasNested || previous == .beginObject
    default: return false
    }
  }

  mutating func restart(at token: JSONTokens.Token, _ bytes: ListBytes) -> KeyListEntry {
    let line = stack.first?.line ?? token.line
    let text = stack.first?.isArray == true ? "[…" : "{…"
    stack = []
    skipped = JSONSkip()
    open(token.kind == .beginArray ? .list : .answer, token, bytes)
    resumeTable(line: token.line)
    return .invalid(InvalidLine(line: line, text: text, reason: .json(.openBeforeNextLine)))
  }

  /// Reports `token`, which JSON does not allow here, and moves to where the next value can begin: after the line when
  /// values are on one line each. Otherwise nothing more is read, since later ids may mean anything.
  mutating func fault(
    _ token: JSONTokens.Token, _ bytes: inout ListBytes, _ flaw: JSONFlaw
  ) throws(KeyListError) -> KeyListEntry {
    // An array may also be the value of a member whose colon is missing.
    let isInObject = stack.first.map { !$0.isArray } ?? false
    if token.isAtMargin, token.kind == .beginObject || (token.kind == .beginArray && !isInObject) {
      return restart(at: token, bytes)
    }
    isBehindFault = true
    try bytes.fill()
    let end = bytes.lineEnd()?.lowerBound ?? bytes.count
    let rest = bytes[0..<min(end, InvalidLine.excerptBytes)]
    let text = Edges.trimmed((tokens.shown(token) + rest)[...])
    let isOneLine = stack.first.map { $0.line == token.line } ?? true
    guard isOneLine || isLinewise else {
      return try giveUp(&bytes, flaw, line: token.line, text)
    }
    let holdsMore = stack.first.map { $0.isArray || $0.hasDataArray } ?? true
    let hasQuotes = bytes[0..<end].contains(UInt8(ascii: "\""))
    stack = []
    skipped = JSONSkip()
    resumeTable(line: token.line)
    let from = bytes.position
    let isTerminated = try bytes.skipLine()
    if !isTerminated { ending.touchEnd() }
    guard holdsMore, hasQuotes || bytes.position - from > ListBytes.lookahead else {
      return .invalid(InvalidLine(line: token.line, bytes: text, reason: .json(flaw)))
    }
    let cut = ListEnding.CutShort(line: token.line, read: from, end: bytes.position)
    if ending.cutShort == nil { ending.cutShort = cut }
    return .invalid(InvalidLine(line: token.line, bytes: text, reason: .json(flaw, lost: .restOfLine(cut))))
  }

  /// The end of the list, possibly in the middle of a value.
  mutating func cutOff(_ bytes: inout ListBytes, text: [UInt8] = []) throws(KeyListError) -> KeyListEntry? {
    isOver = true
    guard let open = stack.last else { return nil }
    ending.touchEnd()
    let line = max(lastLine, open.line)
    let total = try bytes.total()
    if ending.cutShort == nil {
      ending.cutShort = ListEnding.CutShort(line: line, read: total, end: total)
    }
    return .invalid(InvalidLine(line: line, bytes: text, reason: .json(.openAtEnd(line: open.line))))
  }

  private mutating func giveUp(
    _ bytes: inout ListBytes, _ flaw: JSONFlaw, line: Int, _ text: ArraySlice<UInt8>
  ) throws(KeyListError) -> KeyListEntry {
    isOver = true
    ending.isUnsettled = true
    let from = bytes.position
    let total = try bytes.total()
    let cut = ListEnding.CutShort(line: line, read: from, end: total, total: total)
    if ending.cutShort == nil { ending.cutShort = cut }
    return .invalid(InvalidLine(line: line, bytes: text, reason: .json(flaw, lost: .restOfList(cut))))
  }
}
