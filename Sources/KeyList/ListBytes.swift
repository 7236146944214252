import Glibc

/// The part of a list that is in memory: a window that moves over the source, so that a list of any length costs the
/// same. What reads from it sees at least `lookahead` bytes ahead, or all there are; whatever it decides within that
/// distance does not depend on how the source cuts its bytes.
struct ListBytes {
  /// Bytes that can be looked at together, and so the longest line or CSV record that can hold a key.
  static let lookahead = 64 * 1024

  private var source: any KeyListSource
  private var buffer: [UInt8]
  private var start = 0
  private var end = 0
  private var isExhausted = false

  /// The line at the window's start, from 1.
  private(set) var line = 1
  /// What ends a line: a line feed, or a carriage return in a list without a single line feed at its beginning.
  var lineEnd = UInt8(ascii: "\n")

  init(source: some KeyListSource) {
    self.source = source
    buffer = [UInt8](repeating: 0, count: 4 * Self.lookahead)
  }

  /// How many bytes can be looked at: 0 only at the end of the list.
  var count: Int { min(end - start, Self.lookahead) }

  /// True when the list goes on behind the `count` bytes in sight.
  var continues: Bool { end - start > Self.lookahead || !isExhausted }

  /// True before anything was moved past.
  private(set) var isAtStart = true

  func starts(with prefix: [UInt8]) -> Bool {
    count >= prefix.count && self[0..<prefix.count].elementsEqual(prefix)
  }

  subscript(offset: Int) -> UInt8 { buffer[start + offset] }

  /// The bytes in sight, from offset `bounds.lowerBound` to before `bounds.upperBound`.
  subscript(bounds: Range<Int>) -> ArraySlice<UInt8> {
    buffer[start + bounds.lowerBound..<start + bounds.upperBound]
  }

  /// The offset of the first `byte` at or behind `offset`, among the bytes in sight.
  func firstOffset(of byte: UInt8, from offset: Int = 0) -> Int? {
    let searched = count - offset
    guard searched > 0 else { return nil }
    return buffer.withUnsafeBytes { bytes -> Int? in
      guard let base = bytes.baseAddress.map({ $0 + start + offset }),
        let found = memchr(base, Int32(byte), searched)
      else { return nil }
      return UnsafeRawPointer(found) - base + offset
    }
  }

  /// Brings `lookahead` bytes in sight, or all that are left.
  mutating func fill() throws(KeyListError) {
    if end - start >= Self.lookahead || isExhausted { return }
    try refill()
  }

  private mutating func refill() throws(KeyListError) {
    if start > 0 {
      buffer.withUnsafeMutableBytes { bytes in
        guard let base = bytes.baseAddress else { return }
        _ = memmove(base, base + start, end - start)
      }
      end -= start
      start = 0
    }
    while end < Self.lookahead {
      let count = try readMore()
      if count == 0 {
        isExhausted = true
        return
      }
      end += count
    }
  }

  private mutating func readMore() throws(KeyListError) -> Int {
    var source = source
    defer { self.source = source }
    return try buffer.withUnsafeMutableBufferPointer { (bytes) throws(KeyListError) -> Int in
      try source.read(into: UnsafeMutableRawBufferPointer(UnsafeMutableBufferPointer(rebasing: bytes[end...])))
    }
  }

  /// Moves past the byte order mark; what follows is the list's beginning.
  mutating func skipByteOrderMark() {
    start += Edges.byteOrderMark.count
  }

  /// Moves past `count` bytes that hold no line end.
  mutating func advance(_ count: Int) {
    start += count
    isAtStart = false
  }

  /// Moves past `count` bytes that hold `lines` line ends.
  mutating func advance(_ count: Int, lines: Int) {
    start += count
    line += lines
    isAtStart = false
  }

  /// Moves past the rest of the line and its end, however long that is.
  mutating func skipLine() throws(KeyListError) {
    while true {
      try fill()
      if let offset = firstOffset(of: lineEnd) {
        advance(offset + 1, lines: 1)
        return
      }
      if count == 0 { return }
      advance(count)
    }
  }
}
