/// Tells the form of a list from its beginning: the first line that can only be one of the forms decides, so that a bad
/// first line does not spoil the good ones behind it.
enum FormatDetection {
  enum Form {
    case text
    case csv(CSVHeader, line: Int)
    case json
  }

  /// `sample` is the beginning of the list; `isWhole` says that there is no more.
  static func form(of sample: ArraySlice<UInt8>, isWhole: Bool, lineEnd: UInt8) -> Form {
    var rest = sample
    var number = 1
    while !rest.isEmpty {
      let end = rest.firstIndex(of: lineEnd)
      let line = Edges.trimmed(rest[..<(end ?? rest.endIndex)])
      if line.first != UInt8(ascii: "#"), !line.isEmpty {
        if beginsJSON(rest[line.startIndex...]) { return .json }
        if end != nil || isWhole {
          if case .key = KeyIDText.read(line) {
            // Quoted ids are text, and JSON lines too: an object further down decides.
            let isJSON =
              line.first == UInt8(ascii: "\"") && end.map { hasObject(rest[($0 + 1)...], lineEnd: lineEnd) } ?? false
            return isJSON ? .json : .text
          }
          if let header = CSVHeader(line: line) { return .csv(header, line: number) }
        }
      }
      guard let end else { break }
      rest = rest[(end + 1)...]
      number += 1
    }
    return .text
  }

  /// Whether a line in the sample begins a JSON object.
  private static func hasObject(_ text: ArraySlice<UInt8>, lineEnd: UInt8) -> Bool {
    text.split(separator: lineEnd).contains { line in
      let line = Edges.trimmed(line)
      return line.first == UInt8(ascii: "{") && beginsJSON(line)
    }
  }

  /// True for an opening brace or bracket with what JSON allows behind it: braces around a bare UUID are no JSON.
  private static func beginsJSON(_ text: ArraySlice<UInt8>) -> Bool {
    guard let first = text.first, first == UInt8(ascii: "{") || first == UInt8(ascii: "[") else { return false }
    let rest = text.dropFirst().drop(while: Edges.isSpace)
    guard let second = rest.first else { return true }
    if first == UInt8(ascii: "{") { return second == UInt8(ascii: "\"") || second == UInt8(ascii: "}") }
    switch second {
    case UInt8(ascii: "\""), UInt8(ascii: "{"), UInt8(ascii: "["), UInt8(ascii: "]"):
      return true
    case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"):
      return KeyIDBytes.id(rest.prefix(36)) == nil
    default:
      return ["null", "true", "false"].contains { rest.starts(with: $0.utf8) }
    }
  }
}
