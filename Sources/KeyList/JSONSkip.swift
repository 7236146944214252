/// The open brackets of a value that holds no keys. Nothing else in it is checked. A brace that closed a bracket would
/// let ids from inside look like keys.
struct JSONSkip {
  private var depth = 0
  /// A bit for each of the outer 64 brackets, 1 for an array. Deeper brackets are only counted: such values are
  /// attacks, and cost no memory.
  private var arrays: UInt64 = 0

  var isInside: Bool { depth > 0 }

  /// The innermost bracket is an array's.
  var isInArray: Bool { depth > 0 && depth <= 64 && arrays >> UInt64(depth - 1) & 1 == 1 }

  mutating func open(_ kind: JSONTokens.Kind) {
    if depth < 64 {
      let bit = UInt64(1) << UInt64(depth)
      arrays = kind == .beginArray ? arrays | bit : arrays & ~bit
    }
    depth += 1
  }

  /// False when `kind` does not close the innermost bracket.
  mutating func close(_ kind: JSONTokens.Kind) -> Bool {
    depth -= 1
    guard depth < 64 else { return true }
    return (arrays >> UInt64(depth) & 1 == 1) == (kind == .endArray)
  }
}

extension JSONScanner {
  /// Takes in a token of a value that holds no keys.
  mutating func skip(_ token: JSONTokens.Token, _ bytes: inout ListBytes) throws(KeyListError) -> KeyListEntry? {
    switch token.kind {
    case .beginArray, .beginObject: skipped.open(token.kind)
    case .endArray, .endObject:
      if !skipped.close(token.kind) { return try fault(token, &bytes, .unmatched) }
    case .openString: return try fault(token, &bytes, .openQuote)
    default: break
    }
    return nil
  }
}
