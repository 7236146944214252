/// The identifier of an application key: a UUID of any version, kept as its 128 bits.
///
/// The API accepts only the 8-4-4-4-12 hexadecimal form and checks nothing else, so versions and variants are not
/// checked here either. Letter case does not matter; the text is always lower case.
package struct AppKeyID: Hashable, Sendable {
  /// The first eight bytes, most significant first.
  package let high: UInt64
  /// The last eight bytes, most significant first.
  package let low: UInt64

  package init(high: UInt64, low: UInt64) {
    self.high = high
    self.low = low
  }

  /// Reads the 36 bytes of the 8-4-4-4-12 form, in either case. Nil for anything else.
  package init?(utf8 text: some Sequence<UInt8>) {
    // A generic loop called from another module would make several calls a byte.
    guard
      let id = text.withContiguousStorageIfAvailable({ Self.read(UnsafeRawBufferPointer($0)) })
        ?? Array(text).withUnsafeBytes(Self.read)
    else { return nil }
    self = id
  }

  private static func read(_ text: UnsafeRawBufferPointer) -> AppKeyID? {
    guard text.count == 36 else { return nil }
    var high: UInt64 = 0
    var low: UInt64 = 0
    for (position, byte) in text.enumerated() {
      if position == 8 || position == 13 || position == 18 || position == 23 {
        guard byte == UInt8(ascii: "-") else { return nil }
      } else {
        guard let digit = Self.digit(byte) else { return nil }
        if position < 18 { high = high << 4 | digit } else { low = low << 4 | digit }
      }
    }
    return AppKeyID(high: high, low: low)
  }

  package init?(_ text: some StringProtocol) {
    self.init(utf8: text.utf8)
  }

  /// The sixteen bytes, as the queue stores them. Nil unless there are exactly sixteen.
  package init?(bytes: some Collection<UInt8>) {
    guard bytes.count == 16 else { return nil }
    var words: (UInt64, UInt64) = (0, 0)
    withUnsafeMutableBytes(of: &words) { $0.copyBytes(from: bytes) }
    self.init(high: UInt64(bigEndian: words.0), low: UInt64(bigEndian: words.1))
  }

  package var bytes: [UInt8] {
    withUnsafeBytes(of: (high.bigEndian, low.bigEndian)) { Array($0) }
  }

  private static func digit(_ byte: UInt8) -> UInt64? {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt64(byte - UInt8(ascii: "0"))
    case UInt8(ascii: "a")...UInt8(ascii: "f"): UInt64(byte - UInt8(ascii: "a") + 10)
    case UInt8(ascii: "A")...UInt8(ascii: "F"): UInt64(byte - UInt8(ascii: "A") + 10)
    default: nil
    }
  }
}

extension AppKeyID: Comparable {
  package static func < (one: AppKeyID, other: AppKeyID) -> Bool {
    (one.high, one.low) < (other.high, other.low)
  }
}

extension AppKeyID: CustomStringConvertible, LosslessStringConvertible {
  /// The 8-4-4-4-12 form in lower case.
  package var description: String {
    String(unsafeUninitializedCapacity: 36) { buffer in
      let hexadecimal: StaticString = "0123456789abcdef"
      var position = 0
      for nibble in 0..<32 {
        if nibble == 8 || nibble == 12 || nibble == 16 || nibble == 20 {
          buffer[position] = UInt8(ascii: "-")
          position += 1
        }
        let word = nibble < 16 ? high : low
        let digit = Int(truncatingIfNeeded: word >> UInt64(60 - 4 * (nibble % 16)) & 0xf)
        buffer[position] = hexadecimal.utf8Start[digit]
        position += 1
      }
      return position
    }
  }
}
