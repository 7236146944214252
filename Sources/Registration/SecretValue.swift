/// The value of something that is named as a secret: `DD_API_KEY=…`, `password:…`, `Authorization: …`,
/// `set DD_API_KEY …`, `--api-key …`, `<api_key>…</api_key>`, `DD_API_KEY%3D…`.
enum SecretValue {
  private static let names = [
    "apikey", "appkey", "applicationkey", "accesskey", "token", "secret", "password", "passwd",
  ]

  /// What stands between a name and its value, and how sure it is that a value follows.
  private enum Sign {
    /// `=`: any value of four characters or more.
    case equals
    /// `:`. What follows may also be a sentence.
    case colon
    /// `>`: the content of an element.
    case element
    /// A space, after `set` or in an option of a command. What follows may also be an ordinary word.
    case argument
  }

  /// The value, if a name that is a secret's begins at `position`.
  static func range(in text: [UInt8], at position: Int) -> Range<Int>? {
    let nameEnd = text[position...].firstIndex { !SecretText.isWordByte($0) } ?? text.endIndex
    let name = String(
      decoding: text[position..<nameEnd].filter { $0 != UInt8(ascii: "_") && $0 != UInt8(ascii: "-") }.map {
        $0 | 0x20
      },
      as: UTF8.self)
    let isHeader = name.hasSuffix("authorization")
    guard isHeader || names.contains(where: name.hasSuffix),
      let (sign, signEnd) = separator(in: text, position..<nameEnd)
    else { return nil }
    let start = text[signEnd...].firstIndex { !isFiller($0) } ?? text.endIndex
    // It was cut out before: what follows the mark now (a list's number) was added since.
    guard start < text.endIndex, !text[start...].starts(with: SecretText.mark) else { return nil }
    let quote = isFiller(text[start - 1]) && text[start - 1] > 0x20 ? text[start - 1] : nil
    let end = text[start...].firstIndex { ends(sign, $0, quote: quote, isHeader: isHeader) } ?? text.endIndex
    let value = text[start..<end]
    let isSecret =
      switch sign {
      case .equals, .element: value.count >= 4
      case .colon: isHeader ? value.count >= 4 : isRandom(value, name: name, isNear: start == signEnd)
      case .argument: isArgument(value, name: name, isLast: end == text.endIndex)
      }
    return isSecret ? start..<end : nil
  }

  private static func separator(in text: [UInt8], _ name: Range<Int>) -> (Sign, end: Int)? {
    let next = text[name.upperBound...].firstIndex { !isFiller($0) } ?? text.endIndex
    guard next < text.endIndex else { return nil }
    switch text[next] {
    case UInt8(ascii: "="): return (.equals, next + 1)
    case UInt8(ascii: ":"): return (.colon, next + 1)
    case UInt8(ascii: ">") where name.lowerBound > 0 && text[name.lowerBound - 1] == UInt8(ascii: "<"):
      return (.element, next + 1)
    case UInt8(ascii: "%") where text[next...].count > 3:
      let code = String(decoding: text[(next + 1)...(next + 2)], as: UTF8.self).lowercased()
      return code == "3d" ? (.equals, next + 3) : code == "3a" ? (.colon, next + 3) : nil
    default:
      let before = text[..<name.lowerBound].split(separator: UInt8(ascii: " ")).last ?? []
      let isSet = ["set", "setenv"].contains(String(decoding: before, as: UTF8.self).lowercased())
      let isOption = text[name].starts(with: "--".utf8)
      return next > name.upperBound && (isSet || isOption) ? (.argument, next) : nil
    }
  }

  private static func ends(_ sign: Sign, _ byte: UInt8, quote: UInt8?, isHeader: Bool) -> Bool {
    if let quote { return byte == quote }
    if sign == .element { return byte == UInt8(ascii: "<") }
    // A scheme comes first: `Authorization: Bearer …`.
    if isHeader { return byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "'") }
    return isFiller(byte) || byte == UInt8(ascii: ",") || byte == UInt8(ascii: ";")
  }

  /// Whether a value after a colon cannot be a word of a sentence. `isNear` says that no space comes before it.
  private static func isRandom(_ value: ArraySlice<UInt8>, name: String, isNear: Bool) -> Bool {
    let isPassword = isPassword(name)
    if isPassword, isNear { return value.count >= 4 }
    guard value.contains(where: SecretText.isDigit) else { return false }
    if AppKeyID(String(decoding: value, as: UTF8.self)) != nil { return false }
    // A word of a sentence has no digits among its letters.
    let isMixed = value.contains { (UInt8(ascii: "a")...UInt8(ascii: "z")).contains($0 | 0x20) }
    return value.count >= (isNear || isPassword ? 4 : isMixed ? 8 : 16)
  }

  /// Whether a value after a space can be a secret. A password may be any word, so that one at the end counts; keys and
  /// tokens have digits, or are longer than words.
  private static func isArgument(_ value: ArraySlice<UInt8>, name: String, isLast: Bool) -> Bool {
    if AppKeyID(String(decoding: value, as: UTF8.self)) != nil { return false }
    let hasDigit = value.contains(where: SecretText.isDigit)
    return value.count >= 4 && (hasDigit || value.count >= 16 || isPassword(name) && isLast)
  }

  private static func isPassword(_ name: String) -> Bool {
    ["password", "passwd", "secret"].contains(where: name.hasSuffix)
  }

  /// White space and quotes.
  static func isFiller(_ byte: UInt8) -> Bool {
    byte <= 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "'")
  }
}
