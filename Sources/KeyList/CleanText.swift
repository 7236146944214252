/// Removes invisible characters that copying, word processors and terminals leave in a line: colours, zero-width and
/// direction marks, soft hyphens. Unicode spaces become a space, its quotes plain quotes, its bullets an asterisk, and
/// the full-width characters of East Asian keyboards what they stand for.
enum CleanText {
  private static let escape = UInt8(0x1b)

  /// `text` itself when there is nothing to clean, or when it is not UTF-8.
  static func clean(_ text: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
    guard text.contains(where: { $0 >= 0x80 || $0 == escape }) else { return text }
    let plain = text.contains(escape) ? withoutColours(text) : text
    guard plain.contains(where: { $0 >= 0x80 }) else { return plain }
    guard let decoded = String(validating: plain, as: UTF8.self) else { return text }
    var result: [UInt8] = []
    result.reserveCapacity(plain.count)
    for scalar in decoded.unicodeScalars {
      if scalar.isASCII {
        result.append(UInt8(scalar.value))
      } else if let byte = substitute(for: scalar) {
        if byte != 0 { result.append(byte) }
      } else {
        result += UTF8.encode(scalar).map(Array.init) ?? []
      }
    }
    return result[...]
  }

  /// The ASCII character that replaces `scalar`, 0 for an invisible one, nil for any other.
  private static func substitute(for scalar: Unicode.Scalar) -> UInt8? {
    switch scalar.value {
    case 0x201c...0x201f, 0xab, 0xbb, 0x2039, 0x203a, 0x3008...0x3011: return UInt8(ascii: "\"")
    case 0x2018...0x201b: return UInt8(ascii: "'")
    case 0x3001: return UInt8(ascii: ",")
    case 0xff01...0xff5e: return UInt8(scalar.value - 0xfee0)
    case 0x2022, 0x2023, 0x2043, 0x25cf, 0x25e6, 0xb7: return UInt8(ascii: "*")
    case 0x85, 0x2028, 0x2029: return UInt8(ascii: " ")
    case 0xfe00...0xfe0f: return 0
    default: break
    }
    switch scalar.properties.generalCategory {
    case .format: return 0
    case .spaceSeparator: return UInt8(ascii: " ")
    default: return nil
    }
  }

  /// The length of the escape sequence at the start of `text`: `ESC [`, parameters, a letter (ECMA-48, 5.4). 0 when
  /// there is none, or when it is cut off.
  static func escapeSequence(_ text: ArraySlice<UInt8>) -> Int {
    guard text.count >= 3, text.first == escape, text[text.startIndex + 1] == UInt8(ascii: "[") else { return 0 }
    let parameters = text.dropFirst(2).prefix(30).prefix { (0x20...0x3f).contains($0) }
    guard parameters.endIndex < text.endIndex, (0x40...0x7e).contains(text[parameters.endIndex]) else { return 0 }
    return parameters.count + 3
  }

  /// The length of the comment between `/*` and `*/` at the start of `text`; nil when it has no end there.
  static func blockComment(_ text: ArraySlice<UInt8>) -> Int? {
    guard text.starts(with: "/*".utf8), let end = text.dropFirst(2).firstRange(of: Array("*/".utf8)) else { return nil }
    return end.upperBound - text.startIndex
  }

  private static func withoutColours(_ text: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
    var result: [UInt8] = []
    var rest = text
    while let first = rest.first {
      let length = first == escape ? escapeSequence(rest) : 0
      if length == 0 { result.append(first) }
      rest = rest.dropFirst(max(1, length))
    }
    return result[...]
  }
}
