/// A text of several lines that a name begins (`USERS="`, `user_ids: |`, `user_ids = <<EOT`), in the forms of YAML,
/// shells, Terraform and programming languages.
enum OpenedText {
  private static let quotes = ["\"\"\"", "'''", "\"", "'", "`"].map { Array($0.utf8) }

  /// What closes the text that begins behind `rest`, which comes after a name and its sign: empty where a line with less
  /// indentation does. Nil when it is a value of its own.
  static func closing(_ rest: ArraySlice<UInt8>) -> [UInt8]? {
    if isYAML(rest) { return [] }
    if let word = heredoc(rest) { return word }
    // PowerShell's here-strings begin with `@"` and end with `"@`.
    if rest.count == 2, rest.first == UInt8(ascii: "@"), let quote = rest.last, "\"'".utf8.contains(quote) {
      return [quote, UInt8(ascii: "@")]
    }
    return quotes.first { rest.elementsEqual($0) }
  }

  /// `line` without the quote at its end that closes a text, nil when there is none, or nothing before it.
  static func lastLine(in line: ArraySlice<UInt8>, closedBy quote: [UInt8]) -> ArraySlice<UInt8>? {
    guard quotes.contains(quote), let mark = quote.first else { return nil }
    let end = line.lastIndex { !TextLine.isSeparator($0) }.map { $0 + 1 } ?? line.startIndex
    // Quotes around one word are its own.
    guard line[..<end].suffix(quote.count).elementsEqual(quote), line.count(where: { $0 == mark }) == quote.count else {
      return nil
    }
    let inner = Edges.trimmed(line[..<(end - quote.count)])
    return inner.isEmpty ? nil : inner
  }

  /// A block (`|`, `>-`, `|2`), an anchor (`&users`) or a tag (`!!seq`), and nothing else.
  private static func isYAML(_ rest: ArraySlice<UInt8>) -> Bool {
    switch rest.first {
    case UInt8(ascii: "|"), UInt8(ascii: ">"):
      rest.dropFirst().allSatisfy { "+-".utf8.contains($0) || (0x30...0x39).contains($0) }
    case UInt8(ascii: "&"), UInt8(ascii: "!"): rest.count > 1 && !rest.contains(where: Edges.isSpace)
    default: false
    }
  }

  /// The word after `<<`, `<<-` or `<<~`, with or without quotes.
  private static func heredoc(_ rest: ArraySlice<UInt8>) -> [UInt8]? {
    guard rest.starts(with: "<<".utf8) else { return nil }
    let word = Edges.peeled(rest.dropFirst(2).drop { "-~".utf8.contains($0) })
    guard !word.isEmpty, word.allSatisfy({ (0x61...0x7a).contains($0 | 0x20) || $0 == UInt8(ascii: "_") }) else {
      return nil
    }
    return Array(word)
  }
}
