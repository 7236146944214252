/// Cuts anything that looks like a secret out of text from outside. A list of keys instead of key ids is an easy
/// mistake, and every line of it would be shown as invalid.
///
/// It cuts out, in any letter case and anywhere: 32 or more hexadecimal digits in a row (an API key has 32, an
/// application key 40, a client token 32 after `pub`), `ddapp_…`, `ddpat_…`, `ddsat_…` and tokens of that form, JSON
/// web tokens, each of them also broken by one space, the value in `DD_API_KEY=…` and the like (`SecretValue`), and the
/// user and password of a URL. A key id is none of these because of its dashes; 32 digits that are named as the id of a
/// trace or request stay, since support asks for it.
package enum SecretText {
  package enum Kind: Hashable, Sendable {
    /// 32 hexadecimal digits: an API key, or a key id without its dashes.
    case digits32
    case applicationKey
    case accessToken
    /// `NAME=value`.
    case assignment
  }

  static let mark = Array("(redacted)".utf8)

  package static func redacted(_ text: String) -> String {
    let bytes = Array(text.utf8)
    let redacted = redacted(bytes)
    return redacted == bytes ? text : String(decoding: redacted, as: UTF8.self)
  }

  /// `isCut` says that the text continues: its end may be the first half of a secret, and is cut, too.
  package static func redacted(_ text: [UInt8], isCut: Bool = false) -> [UInt8] {
    let whole = isCut ? withoutLastWord(text) : text
    let text = withoutUserinfo(whole)
    var result: [UInt8] = []
    result.reserveCapacity(text.count)
    var position = 0
    while position < text.count {
      guard let secret = secret(in: text, at: position) else {
        result.append(text[position])
        position += 1
        continue
      }
      result += text[position..<secret.range.lowerBound]
      result += mark
      position = secret.range.upperBound
    }
    return result
  }

  /// What kind of secret there is in `text`, nil for none.
  package static func kind(in text: some Collection<UInt8>) -> Kind? {
    let text = Array(text)
    for position in text.indices {
      if let secret = secret(in: text, at: position) { return secret.kind }
    }
    return nil
  }

  /// The secret, or name of a secret, that begins at `position`.
  private static func secret(in text: [UInt8], at position: Int) -> (kind: Kind, range: Range<Int>)? {
    let byte = text[position]
    let before = position > 0 ? text[position - 1] : UInt8(ascii: " ")
    if isHexadecimal(byte), !isHexadecimal(before), let digits = digits(in: text, at: position),
      digits.range.count != 32 || !isTrace(text[..<position])
    {
      return (digits.count == 32 ? .digits32 : .applicationKey, digits.range)
    }
    if byte | 0x20 == UInt8(ascii: "d"), let token = token(in: text, at: position) { return token }
    guard isWordByte(byte), !isWordByte(before) else { return nil }
    if let token = webToken(in: text, at: position) { return (.accessToken, token) }
    return SecretValue.range(in: text, at: position).map { (.assignment, $0) }
  }

  /// 32 or more hexadecimal digits, in one piece or broken by one space.
  private static func digits(in text: [UInt8], at position: Int) -> (count: Int, range: Range<Int>)? {
    let end = text[position...].firstIndex { !isHexadecimal($0) } ?? text.endIndex
    if end - position >= 32 { return (end - position, position..<end) }
    guard end - position >= 4, end < text.endIndex, text[end] == UInt8(ascii: " ") else { return nil }
    let rest = text[(end + 1)...].prefix(while: isHexadecimal)
    let count = end - position + rest.count
    // The end of one key id and the beginning of the next have 20.
    guard rest.count >= 4, count >= 32, rest.endIndex == text.endIndex || !isWordByte(text[rest.endIndex]) else {
      return nil
    }
    return (count, position..<rest.endIndex)
  }

  /// Whether `before` ends with a name that says that a trace's or request's id follows: `trace_id=`, `"request-id":
  /// "`.
  private static func isTrace(_ before: ArraySlice<UInt8>) -> Bool {
    let letters = String(decoding: before.suffix(40).filter(isLetter).map { $0 | 0x20 }, as: UTF8.self)
    return ["traceid", "requestid", "correlationid"].contains(where: letters.hasSuffix)
  }

  /// `ddapp_…`, `ddpat_…`, `ddsat_…`; other prefixes of that form need eight characters after them.
  private static func token(in text: [UInt8], at position: Int) -> (kind: Kind, range: Range<Int>)? {
    let rest = text[position...]
    guard rest.count >= 7, rest[position + 1] | 0x20 == UInt8(ascii: "d"),
      let line = rest.prefix(9).firstIndex(of: UInt8(ascii: "_")), line >= position + 4,
      rest[position..<line].allSatisfy(isLetter)
    else { return nil }
    let end = rest[line...].firstIndex { !isWordByte($0) } ?? rest.endIndex
    let prefix = String(decoding: rest[position..<line].map { $0 | 0x20 }, as: UTF8.self)
    let isKnown = ["ddapp", "ddpat", "ddsat"].contains(prefix)
    guard isKnown || position == 0 || !isWordByte(text[position - 1]) else { return nil }
    let second = isKnown ? secondHalf(in: text, at: end) : nil
    guard second != nil || end - line > (isKnown ? 1 : 8) else { return nil }
    return (prefix == "ddapp" ? .applicationKey : .accessToken, position..<(second ?? end))
  }

  /// Where a word after one space ends that can only be the rest of a token: eight or more letters and digits, both of
  /// them.
  private static func secondHalf(in text: [UInt8], at end: Int) -> Int? {
    guard end < text.endIndex, text[end] == UInt8(ascii: " ") else { return nil }
    let rest = text[(end + 1)...].prefix { isLetter($0) || isDigit($0) }
    let hasBoth = rest.contains(where: isLetter) && rest.contains(where: isDigit)
    let isWord = rest.endIndex == text.endIndex || !isWordByte(text[rest.endIndex])
    return rest.count >= 8 && hasBoth && isWord ? rest.endIndex : nil
  }

  /// A JSON web token (RFC 7519): two or three parts in Base64 with dots between them, the first a JSON object.
  private static func webToken(in text: [UInt8], at position: Int) -> Range<Int>? {
    guard text[position...].starts(with: "eyJ".utf8) else { return nil }
    let end = text[position...].firstIndex { !isWordByte($0) && $0 != UInt8(ascii: ".") } ?? text.endIndex
    let parts = text[position..<end].split(separator: UInt8(ascii: "."))
    return parts.count >= 2 && parts.prefix(2).allSatisfy({ $0.count >= 8 }) ? position..<end : nil
  }

  // MARK: URLs

  /// `text` without the part before `@` in `http://user:password@host`, with or without the scheme.
  private static func withoutUserinfo(_ text: [UInt8]) -> [UInt8] {
    guard text.contains(UInt8(ascii: "@")) else { return text }
    var result: [UInt8] = []
    for (index, word) in text.split(separator: UInt8(ascii: " "), omittingEmptySubsequences: false).enumerated() {
      if index > 0 { result.append(UInt8(ascii: " ")) }
      guard let sign = word.lastIndex(of: UInt8(ascii: "@")) else {
        result += word
        continue
      }
      let scheme = word[..<sign].firstRange(of: Array("://".utf8))
      let start =
        scheme?.upperBound ?? (word[..<sign].lastIndex(where: SecretValue.isFiller).map { $0 + 1 } ?? word.startIndex)
      if scheme != nil || word[start..<sign].contains(UInt8(ascii: ":")) {
        result += word[..<start]
        result += mark
        result += word[sign...]
      } else {
        result += word
      }
    }
    return result
  }

  // MARK: Bytes

  private static func withoutLastWord(_ text: [UInt8]) -> [UInt8] {
    var kept = text.endIndex
    while kept > 0, text.endIndex - kept < 64, isWordByte(text[kept - 1]) { kept -= 1 }
    return Array(text[..<kept])
  }

  package static func isHexadecimal(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "f"),
      UInt8(ascii: "A")...UInt8(ascii: "F"):
      true
    default: false
    }
  }

  static func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }

  private static func isLetter(_ byte: UInt8) -> Bool {
    (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
  }

  static func isWordByte(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "z"),
      UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "_"), UInt8(ascii: "-"):
      true
    default: false
    }
  }
}
