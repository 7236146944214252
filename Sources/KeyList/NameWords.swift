/// The words of a name, however they are joined: `APIKeyIDs`, `api_key_ids`, `API key IDs`, `apikeyids`.
struct NameWords {
  /// In lower case and in the singular.
  struct Word {
    var text: String
    var isPlural = false
  }

  /// Words for an id, in the singular.
  static let ids: Set<String> = ["id", "uuid", "guid", "identifier"]

  private(set) var words: ArraySlice<Word> = []

  /// The longest name, in bytes, that is read; the rest is left out.
  private static let longest = 200

  init(_ name: [UInt8]) {
    let text = Edges.peeled(CleanText.clean(name.prefix(Self.longest)))
    for word in Self.split(text) { add(word) }
  }

  /// Cuts at everything but letters, and within `aB` and `ABc`: `IDs` is one word, however.
  private static func split(_ text: ArraySlice<UInt8>) -> [String] {
    var words: [[UInt8]] = [[]]
    for (index, byte) in zip(text.indices, text) {
      guard isLetter(byte) else {
        words.append([])
        continue
      }
      if isUpper(byte), let last = words[words.count - 1].last, !isUpper(last) || beginsWord(text[index...]) {
        words.append([])
      }
      words[words.count - 1].append(byte)
    }
    return words.filter { !$0.isEmpty }.map { String(decoding: $0, as: UTF8.self).lowercased() }
  }

  /// Whether `text`, which begins in the middle of capital letters, begins with one that is followed by small ones: not
  /// by a plural's.
  private static func beginsWord(_ text: ArraySlice<UInt8>) -> Bool {
    let small = text.dropFirst().prefix { isLetter($0) && !isUpper($0) }
    return !small.isEmpty && !small.elementsEqual("s".utf8)
  }

  private mutating func add(_ word: String) {
    let singular = Self.singular(word)
    if let (first, second) = Self.joined[singular.text] {
      words.append(Word(text: first))
      words.append(Word(text: second, isPlural: word.hasSuffix("s")))
    } else if !Self.ids.contains(singular.text),
      let suffix = Self.suffixes.first(where: { word.hasSuffix($0) && word.count > $0.count + 1 })
    {
      add(String(word.dropLast(suffix.count)))
      words.append(Self.singular(suffix))
    } else {
      words.append(singular)
    }
  }

  private static let suffixes = ["uuids", "uuid", "ids", "id"]
  private static let joined = [
    "appkey": ("app", "key"), "applicationkey": ("application", "key"), "apikey": ("api", "key"),
    "serviceaccount": ("service", "account"), "createdby": ("created", "by"), "updatedby": ("updated", "by"),
    "modifiedby": ("modified", "by"),
  ]

  private static func singular(_ word: String) -> Word {
    if ["people", "persons"].contains(word) { return Word(text: "person", isPlural: true) }
    if word.hasSuffix("ies"), word.count > 4 { return Word(text: word.dropLast(3) + "y", isPlural: true) }
    if word.hasSuffix("s"), !word.hasSuffix("ss"), word.count > 2 {
      return Word(text: String(word.dropLast()), isPlural: true)
    }
    return Word(text: word)
  }

  private static func isUpper(_ byte: UInt8) -> Bool { (0x41...0x5a).contains(byte) }

  private static func isLetter(_ byte: UInt8) -> Bool { (0x61...0x7a).contains(byte | 0x20) || byte >= 0x80 }
}
