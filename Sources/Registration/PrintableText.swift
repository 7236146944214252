/// Makes text from outside (a list, a reply, a file name) safe for a terminal, a log line or a receipt.
package enum PrintableText {
  /// `text` cut to `limit` characters (the rest becomes `…`), with every control, format and line-separator character
  /// written as `\u{…}`, so that it can neither move a cursor nor forge a second line. Characters are Unicode scalars
  /// here, since a single grapheme can have any length.
  package static func escape(_ text: some StringProtocol, limit: Int = 200) -> String {
    // Most text is plain ASCII, and looking up Unicode properties is slow.
    if text.utf8.count <= limit, text.utf8.allSatisfy({ (0x20..<0x7f).contains($0) }) { return String(text) }
    var result = ""
    var count = 0
    for scalar in text.unicodeScalars {
      if count == limit {
        result += "…"
        break
      }
      count += 1
      switch scalar.properties.generalCategory {
      case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .privateUse, .unassigned:
        result += "\\u{\(String(scalar.value, radix: 16))}"
      default:
        result.unicodeScalars.append(scalar)
      }
    }
    return result
  }
}
