/// Detects the form of a list from its beginning. The first line that fits only one form decides, so that a bad first
/// line does not spoil the good ones after it.
enum FormatDetection {
  enum Form {
    case text(TextLayout, HeaderGuess)
    case csv(CSVHeader)
    case json
  }

  /// `sample` is the beginning of the list from line `firstLine` on; `isWhole` says that there is nothing after it.
  static func form(of sample: ArraySlice<UInt8>, isWhole: Bool, firstLine: Int) throws(KeyListError) -> Form {
    var lines = SampleLines(sample, isWhole: isWhole, firstLine: firstLine)
    while let line = lines.next() {
      let text = Edges.trimmed(line.text)
      if text.isEmpty { continue }
      if text.first == UInt8(ascii: "#") {
        if var header = CSVHeader(signAt: sample[line.text.startIndex...], isWhole: isWhole) {
          header.line = line.number
          return .csv(header)
        }
        continue
      }
      if beginsJSON(sample[text.startIndex...]) || beginsValues(text) {
        // No JSON has an id without quotes: this line is a bad one above good ones.
        if isAboveBareID(lines), !KeyIDText.holdsID(text) { break }
        return .json
      }
      guard line.isComplete, !Edges.isRecordRule(text) else { break }
      if case .words(let words) = TextLine.read(text) {
        if !words.ids.isEmpty {
          // Quoted ids can be text or JSON lines: an object further down decides.
          if text.first == UInt8(ascii: "\""), hasObject(lines) { return .json }
          if let header = header(below: words, lines, in: sample) { return .csv(header) }
          break
        }
        if TextHeading(words.text)?.namesKey == true { break }
      }
      do {
        if var header = try CSVHeader(at: sample[line.text.startIndex...]), header.length < sample.count || isWhole {
          header.line = line.number
          // In blocks of names and values, each below the other, the first name looks like a header.
          if header.columns > 1 || !hasOtherTitle(lines) { return .csv(header) }
          break
        }
      } catch {
        throw KeyListError(kind: error.kind, message: error.message, line: line.number, hint: error.hint)
      }
      if let message = CSVHeader.unknown(ofSeveralLines: sample[line.text.startIndex...]) {
        throw unknownHeader(message, line: line.number)
      }
    }
    return try text(SampleLines(sample, isWhole: isWhole, firstLine: firstLine))
  }

  /// The layout of a list that is neither CSV nor JSON. A last line without a line end does not count: it may be half
  /// of one.
  private static func text(_ lines: SampleLines) throws(KeyListError) -> Form {
    var survey = TextLayout.Survey()
    var header = HeaderGuess.no
    var first: SampleLines.Line?
    var lines = lines
    var titles: Int?
    var isOfRecords = false
    while let line = lines.next() {
      if Edges.isRecordRule(Edges.trimmed(line.text)) { isOfRecords = true }
      guard line.isComplete, case .words(let words) = TextLine.read(line.text) else { continue }
      guard line.isTerminated || first == nil else {
        survey.addRow(words)
        continue
      }
      if SeparatorLine(words.text) != nil || LoneBracket(words.text, line: line.number) != nil { continue }
      // A table's last line often counts its rows.
      if titles != nil, words.ids.isEmpty { continue }
      if first == nil, titles == nil, words.ids.isEmpty, CSVHeader.isTitles(words.text) {
        titles = line.number
        continue
      }
      if let start = first, start.isOnly {
        if !isOfRecords, let message = CSVHeader.unknown(at: start.text, next: line.text) {
          throw unknownHeader(message, line: start.number)
        }
        header = .no
        first?.isOnly = false
      } else if first == nil {
        first = line
        header = .undecided(line.number)
      }
      survey.add(words, number: line.number, indent: line.text.prefix(while: Edges.isSpace).count)
    }
    return .text(try survey.layout(), titles.map { .titles($0) } ?? header)
  }

  /// Nothing says which of the columns holds the keys.
  private static func unknownHeader(_ message: String, line: Int) -> KeyListError {
    KeyListError(
      kind: .ambiguous, message: message, line: line,
      hint: "name the column of the key ids \(CSVHeader.accepted)")
  }

  /// Whether a line in the sample is the title of something else.
  private static func hasOtherTitle(_ lines: SampleLines) -> Bool {
    var lines = lines
    while let line = lines.next() {
      if line.text.count < 100, case .words(let words) = TextLine.read(line.text), words.ids.isEmpty,
        TextHeading(words.text)?.meaning == .other
      {
        return true
      }
    }
    return false
  }

  /// Whether the next line begins with an id that has no quotes.
  private static func isAboveBareID(_ lines: SampleLines) -> Bool {
    var lines = lines
    while let line = lines.next() {
      var text = Edges.trimmed(line.text)
      if text.isEmpty || text.first == UInt8(ascii: "#") { continue }
      if text.starts(with: "- ".utf8) { text = Edges.trimmed(text.dropFirst(2)) }
      return line.isComplete && KeyIDBytes.id(text.prefix(36)) != nil
    }
    return false
  }

  /// The header of the table right below a line with an id, which is about the table (`Organisation: …`). If it is only an
  /// id, the table has to have ids of something else, too: otherwise it is a list of keys with a bad line.
  private static func header(
    below first: TextLine, _ lines: SampleLines, in sample: ArraySlice<UInt8>
  ) -> CSVHeader? {
    var lines = lines
    while let line = lines.next(), line.isTerminated {
      let text = Edges.trimmed(line.text)
      if text.isEmpty { continue }
      guard !KeyIDText.holdsID(text), var header = try? CSVHeader(at: sample[line.text.startIndex...]),
        header.columns > 1,
        let row = lines.next().flatMap({ CSVFields(at: $0.text, separator: header.separator) }),
        row.fields.count == header.columns, KeyIDText.isKey(row.fields[header.column][...])
      else { return nil }
      header.line = line.number
      return !first.isIDs || row.fields.count { KeyIDText.isKey($0[...]) } > 1 ? header : nil
    }
    return nil
  }

  /// Whether a line in the sample begins a JSON object.
  private static func hasObject(_ lines: SampleLines) -> Bool {
    var lines = lines
    while let line = lines.next() {
      let text = Edges.trimmed(line.text)
      if text.first == UInt8(ascii: "{"), beginsJSON(text) { return true }
    }
    return false
  }

  /// True for an opening brace or bracket followed by something that JSON allows: a bare UUID in braces is not JSON.
  /// Colours and comment lines in between are ignored.
  private static func beginsJSON(_ text: ArraySlice<UInt8>) -> Bool {
    let text = afterSpace(text)
    guard let first = text.first, first == UInt8(ascii: "{") || first == UInt8(ascii: "[") else { return false }
    let rest = afterSpace(text.dropFirst())
    guard let second = rest.first else { return true }
    if first == UInt8(ascii: "{") { return second == UInt8(ascii: "\"") || second == UInt8(ascii: "}") }
    switch second {
    case UInt8(ascii: "\""), UInt8(ascii: "{"): return true
    // Not `[[key]]`, a table of TOML, nor `[]string{`, a slice of Go.
    case UInt8(ascii: "["):
      let inner = rest.dropFirst()
      return inner.first.map { !isLetter($0) || isLiteral(inner) } ?? true
    case UInt8(ascii: "]"): return rest.dropFirst().first.map { !isLetter($0) } ?? true
    case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"):
      return KeyIDBytes.id(rest.prefix(36)) == nil && isNumber(rest)
    default:
      return isLiteral(rest)
    }
  }

  private static func isLiteral(_ text: ArraySlice<UInt8>) -> Bool {
    ["null", "true", "false"].contains { text.starts(with: $0.utf8) }
  }

  private static func isLetter(_ byte: UInt8) -> Bool { (0x61...0x7a).contains(byte | 0x20) }

  /// Whether `text` begins with a number in an array, and not with a date or number in brackets before other words.
  private static func isNumber(_ text: ArraySlice<UInt8>) -> Bool {
    var rest = text.drop { (0x30...0x39).contains($0) || "+-.eE".utf8.contains($0) }.drop(while: Edges.isSpace)
    guard rest.first == UInt8(ascii: "]") else { return rest.first.map { $0 == UInt8(ascii: ",") } ?? true }
    rest = rest.dropFirst().drop { Edges.isSpace($0) && !Edges.isLineEnd($0) }
    return rest.first.map { Edges.isLineEnd($0) || ",[{\"".utf8.contains($0) } ?? true
  }

  /// Whether a line begins with an id as a JSON string with another value after it and no comma, as `jq -j` writes
  /// them, or in a JSON text sequence (`jq --seq`).
  private static func beginsValues(_ line: ArraySlice<UInt8>) -> Bool {
    let text = line.drop { $0 == JSONTokens.recordSeparator }
    guard text.first == UInt8(ascii: "\""), let end = text.dropFirst().firstIndex(of: UInt8(ascii: "\"")),
      KeyIDText.id(text[...end]) != nil
    else { return false }
    let rest = text[(end + 1)...]
    return text.count < line.count || rest.first == UInt8(ascii: "\"") || beginsJSON(rest)
  }

  /// `text` after white space, colours and comment lines.
  private static func afterSpace(_ text: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
    var text = text
    var isLineStart = false
    while let first = text.first {
      if Edges.isSpace(first) || first == JSONTokens.recordSeparator {
        isLineStart = isLineStart || Edges.isLineEnd(first)
        text.removeFirst()
      } else if isLineStart, first == UInt8(ascii: "#") || text.starts(with: "//".utf8) {
        text = text.drop { !Edges.isLineEnd($0) }
      } else {
        let length = CleanText.blockComment(text) ?? CleanText.escapeSequence(text)
        if length == 0 { return text }
        text = text.dropFirst(length)
      }
    }
    return text
  }
}
