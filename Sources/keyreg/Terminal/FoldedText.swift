/// Text in lines that a terminal shows whole: help must not be cut off.
enum FoldedText {
  /// `text` broken between words, and within words that are too long, into lines of at most `columns`.
  ///
  /// - Parameter indent: Spaces before every line but the first.
  static func lines(_ text: String, columns: Int, indent: Int) -> [String] {
    let margin = String(repeating: " ", count: min(indent, columns / 2))
    var lines: [String] = []
    var line: String?
    for word in text.split(separator: " ", omittingEmptySubsequences: false) {
      if let begun = line {
        if ShownText.columns(begun) + 1 + ShownText.columns(word) <= columns {
          line = begun + " " + word
          continue
        }
        lines.append(begun)
        // Spaces at a break are not shown.
        line = word.isEmpty ? nil : margin + word
      } else {
        line = (lines.isEmpty ? "" : margin) + word
      }
      while let long = line, ShownText.columns(long) > columns, columns > 0 {
        let start = ShownText.cut(long, to: columns, ellipsis: "")
        guard start.count > (lines.isEmpty ? 0 : margin.count) else { break }
        lines.append(start)
        line = margin + long.unicodeScalars.dropFirst(start.unicodeScalars.count).map(String.init).joined()
      }
    }
    return (lines + [line].compactMap(\.self)).map { String($0.reversed().drop { $0 == " " }.reversed()) }
  }
}

extension TerminalStyle {
  /// On a terminal in lines of its width; elsewhere as it is.
  ///
  /// - Parameter most: Lines; what does not fit into them is cut.
  func fold(_ text: String, indent: Int, most: Int = .max) -> [String] {
    guard let columns else { return [text] }
    let lines = FoldedText.lines(text, columns: columns, indent: indent)
    guard lines.count > most else { return lines }
    return lines.prefix(most - 1) + [cut(lines[most - 1] + " " + ellipsis)]
  }
}
