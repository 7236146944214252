/// What the words beside the ids of a text list say about all of them: `user …` on each line, or `INSERT INTO users …`.
struct SharedWords {
  private var lines = 0
  /// The words that all lines have.
  private var words: Set<ArraySlice<UInt8>> = []
  /// Every line has a word before its id that says what the id is.
  private var areLabelled = true
  private var hasOtherLabel = false
  /// The word before an id is the name of one, as in `id …`.
  private var hasIDLabel = false

  mutating func add(_ line: TextLine) {
    lines += 1
    words = lines == 1 ? Set(line.names) : words.isEmpty ? [] : words.intersection(line.names)
    guard let label = line.label.map(Array.init), label.count <= 60 else {
      areLabelled = false
      return
    }
    let meaning = IDName.meaning(of: label, isLabel: true)
    if meaning == .other { hasOtherLabel = true }
    if CSVHeader.rank(of: label) != nil { hasIDLabel = true }
    if meaning == .unknown { areLabelled = false }
  }

  /// On a single line, a word behind the id may be the name of a key. Before it, the name of somebody may be that of a key,
  /// unless the names before the ids say what these are.
  var sayOther: Bool {
    if hasOtherLabel, areLabelled || hasIDLabel { return true }
    return lines > 1 && words.contains { IDName.meaning(of: Array($0), isLabel: true) == .other }
  }
}
