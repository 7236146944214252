/// Broken JSON: where reading can go on, and what to say of what it cost.
extension JSONScanner {
  /// True when `token` is taken for the next line of JSON lines, the line before being cut off: the values before stood on
  /// one line each, or this is the second line of the first. Inside a value that holds no keys the latter does not count:
  /// `{"users":[` and users line by line must not become keys.
  ///
  /// Where JSON has a value next, it may as well be that value on a line of its own: then the line must be whole by itself,
  /// and the next one must not go on with what is open.
  func beginsAnew(_ token: JSONTokens.Token, _ bytes: inout ListBytes) throws(KeyListError) -> Bool {
    guard token.isAtMargin, !stack.isEmpty, token.kind == .beginObject || token.kind == .beginArray else {
      return false
    }
    guard isLinewise || (token.line == stack[0].line + 1 && !skipped.isInside) else { return false }
    let isInArray = !skipped.isInside && stack[stack.count - 1].isArray
    guard token.kind == .beginObject ? !isInArray : isLinewise || !isInArray else { return false }
    return isValueDue ? try standsAlone(&bytes) : true
  }

  /// Whether the value that has just begun ends on its line with nothing behind it, and what follows does not close
  /// anything more.
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

  /// True where JSON has a value next: what stands there is that value, on whichever line, and no list of its own.
  private var isValueDue: Bool {
    switch previous {
    case .colon, .beginArray: true
    case .comma: skipped.isInside ? skipped.isInArray : stack[stack.count - 1].isArray
    default: false
    }
  }

  /// Whether what follows the brace that closes the innermost object shows that the object was not over: a brace too many
  /// in it, or one in another byte's place, would have it name what stands in front of that brace.
  ///
  /// Behind an object stands another value, a bracket, or nothing. A name with its colon is the object's next member. When
  /// the object has brackets inside, one of them may have been closed in its place: then another brace says so, too, and
  /// what is no JSON.
  func isClosedTooEarly(_ bytes: inout ListBytes) throws(KeyListError) -> Bool {
    // Inside of another object, that one sees to it.
    guard stack.count < 2 || stack[stack.count - 2].isArray else { return false }
    try bytes.fill()
    var (ahead, tokens) = (bytes, tokens)
    var token = try tokens.next(&ahead)
    while token.kind == .comma { token = try tokens.next(&ahead) }
    // A line of its own begins behind an object that stands on one line.
    if token.isAtMargin, stack[stack.count - 1].line == lastLine { return false }
    switch token.kind {
    case .colon: return true
    case .string: return try tokens.isBeforeColon(&ahead)
    case .endObject where stack.count == 1: return true
    // An object without a member has nothing to lose.
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
    return .invalid(
      InvalidLine(line: line, text: text, reason: "broken JSON: the value is not closed before the next line"))
  }

  /// Reports `token`, which JSON does not allow here, and moves to where the next value can begin: behind the line when the
  /// values stand on one line each. Else nothing more is read, since ids behind it may be anything.
  mutating func fault(
    _ token: JSONTokens.Token, _ bytes: inout ListBytes, _ what: String
  ) throws(KeyListError) -> KeyListEntry {
    // An array may as well be the value of a member whose colon is missing.
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
      return try giveUp(
        &bytes, InvalidLine(line: token.line, bytes: text, reason: "broken JSON: \(what); nothing behind it was read"))
    }
    let holdsMore = stack.first.map { $0.isArray || $0.hasDataArray } ?? true
    let hasQuotes = bytes[0..<end].contains(UInt8(ascii: "\""))
    stack = []
    skipped = JSONSkip()
    let from = bytes.position
    let isTerminated = try bytes.skipLine()
    if !isTerminated { ending.touchEnd() }
    var line = InvalidLine(line: token.line, bytes: text, reason: "broken JSON: \(what)")
    guard holdsMore, hasQuotes || bytes.position - from > ListBytes.lookahead else { return .invalid(line) }
    let cut = ListEnding.CutShort(line: line.line, read: from, end: bytes.position)
    if ending.cutShort == nil { ending.cutShort = cut }
    line.reason += "; nothing behind it on its line was read: \(cut.description)"
    return .invalid(line)
  }

  /// The end of the list, in the middle of a value or not.
  mutating func cutOff(_ bytes: inout ListBytes, text: [UInt8] = []) throws(KeyListError) -> KeyListEntry? {
    isOver = true
    guard let open = stack.last else { return nil }
    ending.touchEnd()
    let line = max(lastLine, open.line)
    let total = try bytes.total()
    if ending.cutShort == nil {
      ending.cutShort = ListEnding.CutShort(line: line, read: total, end: total)
    }
    let reason = "broken JSON: the list ends before what begins on line \(open.line) is closed"
    return .invalid(InvalidLine(line: line, bytes: text, reason: reason))
  }

  private mutating func giveUp(_ bytes: inout ListBytes, _ line: InvalidLine) throws(KeyListError) -> KeyListEntry {
    isOver = true
    ending.isUnsettled = true
    var line = line
    let from = bytes.position
    let total = try bytes.total()
    let cut = ListEnding.CutShort(line: line.line, read: from, end: total, total: total)
    if ending.cutShort == nil { ending.cutShort = cut }
    line.reason += ": \(cut.description)"
    return .invalid(line)
  }
}
