/// Text from outside (a list, a reply, a file name) made fit for a terminal, a log line or a receipt.
package enum PrintableText {
  /// `text` cut to `limit` characters (with `…` in place of what was cut), every control, format and line-separator
  /// character written as `\u{…}`, so that it can neither move a cursor nor forge a second line. Characters are Unicode
  /// scalars here, since a single grapheme can be as long as it likes.
  package static func escape(_ text: some StringProtocol, limit: Int = 200) -> String {
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
