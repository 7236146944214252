/// The rows of a table, which are arrays in an array, or one after another.
extension JSONScanner {
  /// How many arrays are open. Nil inside an object.
  private var depth: Int? {
    if stack.isEmpty { return 0 }
    return stack.count == 1 && stack[0].role == .list ? stack[0].innerArrays + 1 : nil
  }

  /// Takes in a token of a table, or one that begins it. Nil when it is none, or breaks the table.
  mutating func takeInTable(
    _ token: JSONTokens.Token, _ bytes: inout ListBytes
  ) throws(KeyListError) -> KeyListEntry?? {
    guard let depth else { return nil }
    if table == nil {
      guard token.kind == .beginArray, depth == 0 ? previous == nil : previous == .beginArray else { return nil }
      let found = try JSONTable.begin(at: bytes)
      if found.isCut { ending.isUnsettled = true }
      (table, rowDepth) = (found.table, depth + 1)
      if table == nil { return nil }
    }
    if depth == rowDepth { return try takeInRow(token, &bytes) }
    guard depth == rowDepth - 1 else { return nil }
    switch token.kind {
    case .beginArray:
      if stack.isEmpty { open(.list, token, bytes) } else { stack[0].openArray() }
      table?.beginRow(line: token.line)
      return .some(nil)
    case .string:
      if try tokens.isBefore(UInt8(ascii: ":"), &bytes) { return nil }
      table?.isDamaged = true
      return invalid(token, .value(.noRow))
    case .endArray:
      // A bracket too many: what follows may be more rows.
      if table?.isDamaged == true { resumeTable(line: token.line) } else if depth > 0 { table = nil }
      return nil
    default: return nil
    }
  }

  private mutating func takeInRow(
    _ token: JSONTokens.Token, _ bytes: inout ListBytes
  ) throws(KeyListError) -> KeyListEntry?? {
    switch token.kind {
    case .string:
      if try tokens.isBefore(UInt8(ascii: ":"), &bytes) { return nil }
      let value = key(token)
      table?.add(value, text: tokens.text)
    case .scalar, .beginArray, .beginObject:
      let value = misplaced(token)
      table?.add(value)
      if token.kind != .scalar { skipped.open(token.kind) }
    case .comma:
      if previous == .comma || previous == .beginArray { table?.breakRow() }
    case .endArray:
      let entry = table?.endRow()
      if !stack[0].closeArray() { _ = close() }
      chosen = table?.name
      return .some(entry)
    case .garbage, .openString:
      table?.breakRow()
      return nil
    case .colon, .endObject, .end: return nil
    }
    return .some(nil)
  }

  /// After broken JSON nobody knows how deep the rows are: they are read as they come.
  mutating func resumeTable(line: Int) {
    rowDepth = 1
    table?.beginRow(line: line)
  }
}
