/// The brackets that are open of a value that holds no keys. What is inside is not checked but for them: a brace that
/// closed a bracket would let ids from inside look like keys.
struct JSONSkip {
  private var depth = 0
  /// A bit for each of the outer 64 brackets, 1 for an array. Further inside, brackets are counted only: deeper values
  /// are attacks, and cost no memory.
  private var arrays: UInt64 = 0
  /// True once an array was skipped.
  var hasArrays = false

  var isInside: Bool { depth > 0 }

  /// The innermost bracket is an array's.
  var isInArray: Bool { depth > 0 && depth <= 64 && arrays >> UInt64(depth - 1) & 1 == 1 }

  mutating func open(_ kind: JSONTokens.Kind) {
    if depth < 64 {
      let bit = UInt64(1) << UInt64(depth)
      arrays = kind == .beginArray ? arrays | bit : arrays & ~bit
    }
    if kind == .beginArray { hasArrays = true }
    depth += 1
  }

  /// False when `kind` does not close what is open.
  mutating func close(_ kind: JSONTokens.Kind) -> Bool {
    depth -= 1
    guard depth < 64 else { return true }
    return (arrays >> UInt64(depth) & 1 == 1) == (kind == .endArray)
  }
}
