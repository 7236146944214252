import Registration

/// The escapes of JSON strings (RFC 8259, section 7).
enum JSONEscape {
  /// The escape at the start of `text`, which begins with a backslash: the bytes that it means, and its length. An
  /// unknown escape stands for itself, so that it makes no key id.
  static func resolve(_ text: ArraySlice<UInt8>) -> (bytes: [UInt8], length: Int) {
    guard text.count >= 2 else { return (Array(text), text.count) }
    let letter = text[text.startIndex + 1]
    switch letter {
    case UInt8(ascii: "n"): return ([UInt8(ascii: "\n")], 2)
    case UInt8(ascii: "t"): return ([UInt8(ascii: "\t")], 2)
    case UInt8(ascii: "r"): return ([UInt8(ascii: "\r")], 2)
    case UInt8(ascii: "b"): return ([8], 2)
    case UInt8(ascii: "f"): return ([12], 2)
    case UInt8(ascii: "u"): return unicode(text)
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return ([letter], 2)
    default: return (Array(text.prefix(2)), 2)
    }
  }

  /// `text` with all escapes resolved.
  static func resolved(_ text: ArraySlice<UInt8>) -> [UInt8] {
    var result: [UInt8] = []
    var rest = text
    while let first = rest.first {
      let (bytes, length) = first == UInt8(ascii: "\\") ? resolve(rest) : ([first], 1)
      result += bytes
      rest = rest.dropFirst(length)
    }
    return result
  }

  /// `\uXXXX`, or two that form a surrogate pair. Half a pair is U+FFFD.
  private static func unicode(_ text: ArraySlice<UInt8>) -> (bytes: [UInt8], length: Int) {
    let (first, length) = unit(text)
    guard let first else { return (Array("\u{fffd}".utf8), length) }
    if (0xd800..<0xdc00).contains(first), let second = unit(text.dropFirst(6)).value,
      (0xdc00..<0xe000).contains(second),
      let scalar = Unicode.Scalar(0x10000 + (first - 0xd800) << 10 + (second - 0xdc00))
    {
      return (Array(String(Character(scalar)).utf8), 12)
    }
    return (Array(String(Character(Unicode.Scalar(first) ?? "\u{fffd}")).utf8), length)
  }

  /// The number in `\uXXXX` at the start of `text`, and its length, whether or not these are digits.
  private static func unit(_ text: ArraySlice<UInt8>) -> (value: UInt32?, length: Int) {
    guard text.starts(with: [UInt8(ascii: "\\"), UInt8(ascii: "u")]) else { return (nil, 0) }
    let digits = text.dropFirst(2).prefix(4).prefix(while: SecretText.isHexadecimal)
    let value = digits.count == 4 ? UInt32(String(decoding: digits, as: UTF8.self), radix: 16) : nil
    return (value, 2 + digits.count)
  }
}
