/// Keeps secrets out of receipts: a list of application keys in place of their ids is an easy mistake, and every line of
/// it would be shown as invalid.
///
/// An application key is 40 hexadecimal digits, or begins with `ddapp_`.
enum SecretText {
  private static let prefix = Array("ddapp_".utf8)

  /// `text` with every application key in it cut after its first characters.
  static func redacted(_ text: [UInt8]) -> [UInt8] {
    var result: [UInt8] = []
    var position = 0
    while position < text.count {
      let word = text[position...].prefix(while: isWordByte)
      if word.isEmpty {
        result.append(text[position])
        position += 1
        continue
      }
      if isApplicationKey(word) {
        result += word.prefix(prefix.count)
        result += "…".utf8
      } else {
        result += word
      }
      position = word.endIndex
    }
    return result
  }

  static func isApplicationKey(_ word: ArraySlice<UInt8>) -> Bool {
    word.starts(with: prefix) || (word.count == 40 && word.allSatisfy(isHexadecimal))
  }

  static func isHexadecimal(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "f"),
      UInt8(ascii: "A")...UInt8(ascii: "F"):
      true
    default: false
    }
  }

  private static func isWordByte(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "z"),
      UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "_"):
      true
    default: false
    }
  }
}
