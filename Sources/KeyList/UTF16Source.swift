/// A list in UTF-16, converted to UTF-8. What is not UTF-16 (half a surrogate pair, half a unit at the end) becomes
/// U+FFFD.
struct UTF16Source: KeyListSource {
  private var source: any KeyListSource
  private let isBigEndian: Bool
  /// Bytes that were read and are not yet used, from `used` on.
  private var raw: [UInt8]
  private var used = 0
  private var isExhausted = false

  /// `raw` is what has already been read of `source`, after the byte order mark.
  init(raw: [UInt8], source: any KeyListSource, isBigEndian: Bool) {
    self.raw = raw
    self.source = source
    self.isBigEndian = isBigEndian
  }

  mutating func read(into buffer: UnsafeMutableRawBufferPointer) throws(KeyListError) -> Int {
    var written = 0
    while written + 4 <= buffer.count {
      guard let scalar = try nextScalar(mayRead: written == 0) else { break }
      for byte in UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter {
        buffer[written] = byte
        written += 1
      }
    }
    return written
  }

  /// Nil at the end, and when it would have to wait for the source although `mayRead` is false.
  private mutating func nextScalar(mayRead: Bool) throws(KeyListError) -> Unicode.Scalar? {
    if raw.count - used < 4 {
      guard mayRead || isExhausted else { return nil }
      try fill()
    }
    switch raw.count - used {
    case 0: return nil
    case 1:
      used += 1
      return "\u{fffd}"
    default: break
    }
    let first = unit(at: used)
    used += 2
    if let scalar = Unicode.Scalar(first) { return scalar }
    guard (0xd800..<0xdc00).contains(first), raw.count - used >= 2, (0xdc00..<0xe000).contains(unit(at: used)) else {
      return "\u{fffd}"
    }
    let second = unit(at: used)
    used += 2
    return Unicode.Scalar(0x10000 + (first - 0xd800) << 10 + (second - 0xdc00))
  }

  private func unit(at position: Int) -> UInt32 {
    let (one, other) = (UInt32(raw[position]), UInt32(raw[position + 1]))
    return isBigEndian ? one << 8 | other : other << 8 | one
  }

  /// Makes four bytes available, or all that are left.
  private mutating func fill() throws(KeyListError) {
    raw.removeSubrange(..<used)
    used = 0
    var piece = [UInt8](repeating: 0, count: ListBytes.lookahead)
    while raw.count < 4, !isExhausted {
      var source = source
      defer { self.source = source }
      let count = try piece.withUnsafeMutableBufferPointer { (bytes) throws(KeyListError) -> Int in
        try source.read(into: UnsafeMutableRawBufferPointer(bytes))
      }
      raw += piece[..<count]
      isExhausted = count == 0
    }
  }

  /// Whether most characters of `text` are two ASCII characters each that were read as one: somebody appended UTF-8 to
  /// the list.
  static func isProbablyUTF8(_ text: String) -> Bool {
    let pairs = text.unicodeScalars.count { scalar in
      scalar.value <= 0xffff && [scalar.value >> 8, scalar.value & 0xff].allSatisfy { (0x20..<0x7f).contains($0) }
    }
    return pairs >= 8 && pairs * 2 > text.unicodeScalars.count
  }
}
