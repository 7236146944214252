import Registration

/// `AppKeyID(utf8:)` for the bytes of a list: the same form, but faster, since a generic initialiser of another module
/// is not specialised (10 million lines take 2 s instead of 21 s on one core).
enum KeyIDBytes {
  /// The id that the 36 bytes of `text` spell, nil for anything else.
  static func id(_ text: ArraySlice<UInt8>) -> AppKeyID? {
    guard text.count == 36 else { return nil }
    return text.withUnsafeBufferPointer { bytes in
      guard bytes[8] == hyphen, bytes[13] == hyphen, bytes[18] == hyphen, bytes[23] == hyphen,
        let first = word(bytes, 0..<8), let second = word(bytes, 9..<13), let third = word(bytes, 14..<18),
        let fourth = word(bytes, 19..<23), let fifth = word(bytes, 24..<36)
      else { return nil }
      return AppKeyID(high: first << 32 | second << 16 | third, low: fourth << 48 | fifth)
    }
  }

  private static let hyphen = UInt8(ascii: "-")

  /// The number in the hexadecimal digits of `range`. Without branches: with random digits the processor would
  /// mispredict every other one.
  private static func word(_ bytes: UnsafeBufferPointer<UInt8>, _ range: Range<Int>) -> UInt64? {
    var word: UInt64 = 0
    var isHexadecimal = true
    for position in range {
      let byte = bytes[position]
      let digit = byte &- UInt8(ascii: "0")
      let letter = (byte | 0x20) &- UInt8(ascii: "a")
      let isDigit = digit <= 9
      let isLetter = letter <= 5
      if !isDigit && !isLetter { isHexadecimal = false }
      word = word << 4 | UInt64(isDigit ? digit : letter &+ 10)
    }
    return isHexadecimal ? word : nil
  }
}
