/// What the words beside the ids of a text list say about all of them: `user …` on each line, or `INSERT INTO users …`.
struct SharedWords {
  private var lines = 0
  /// The words that all lines have.
  private var words: Set<ArraySlice<UInt8>> = []
  /// Every line has a word before its id that says what the id is.
  private var areLabelled = true
  private var hasOtherLabel = false

  mutating func add(_ line: TextLine) {
    lines += 1
    words = lines == 1 ? Set(line.names) : words.isEmpty ? [] : words.intersection(line.names)
    guard areLabelled else { return }
    let meaning = line.label.map { IDName.meaning(of: Array($0), isLabel: true) }
    if meaning == .other { hasOtherLabel = true }
    areLabelled = meaning == .other || meaning == .keys
  }

  /// On a single line, a word behind the id may be the name of a key.
  var sayOther: Bool {
    if areLabelled, hasOtherLabel { return true }
    return lines > 1 && words.contains { IDName.meaning(of: Array($0), isLabel: true) == .other }
  }
}
