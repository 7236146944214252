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
      append(scalar, to: &result)
    }
    return result
  }

  /// A field of a table as it was, cut to `limit` characters (the rest becomes `…`): only control characters other than
  /// tabs and line ends are escaped.
  package static func excerpt(field: String, limit: Int) -> String {
    var result = ""
    for (count, scalar) in field.unicodeScalars.enumerated() {
      if count == limit { return result + "…" }
      let isControl = scalar.properties.generalCategory == .control && ![9, 10, 13].contains(scalar.value)
      result += isControl ? escape(String(scalar)) : String(scalar)
    }
    return result
  }

  /// As `escape`, but what is returned has at most `limit` characters, with its escapes and the `…`, and no escape is cut.
  /// `isCut` says that the text continues after `text`.
  package static func excerpt(_ text: some StringProtocol, limit: Int, isCut: Bool = false) -> String {
    var result = ""
    var count = 0
    // What is kept if a `…` must follow, in bytes.
    var kept = 0
    for scalar in text.unicodeScalars {
      let end = result.utf8.count
      append(scalar, to: &result)
      count += result.utf8.count == end + UTF8.width(scalar) ? 1 : result.utf8.count - end
      if count > limit { return String(decoding: result.utf8.prefix(kept), as: UTF8.self) + "…" }
      if count < limit { kept = result.utf8.count }
    }
    return isCut ? String(decoding: result.utf8.prefix(kept), as: UTF8.self) + "…" : result
  }

  private static func append(_ scalar: Unicode.Scalar, to result: inout String) {
    switch scalar.properties.generalCategory {
    case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .privateUse, .unassigned:
      result += "\\u{\(String(scalar.value, radix: 16))}"
    default:
      result.unicodeScalars.append(scalar)
    }
  }
}
