import Glibc

/// The part of a list that is in memory: a window that moves over the source, so that lists of any length cost the
/// same. A reader sees at least `lookahead` bytes ahead, or all that are left. What it decides within that distance
/// does not depend on how the source splits its bytes.
///
/// A line ends in LF, CRLF or CR. A copy reads on independently.
struct ListBytes {
  /// Bytes that are visible together, and so the longest line or CSV record that can hold a key.
  static let lookahead = 64 * 1024

  private var source: any KeyListSource
  private var buffer: [UInt8]
  private var start = 0
  private var end = 0
  private var isExhausted = false
  private var feed = Sighting(of: UInt8(ascii: "\n"))
  private var carriage = Sighting(of: UInt8(ascii: "\r"))
  /// Bytes of the list before the buffer.
  private var passed = 0
  private(set) var isUTF16 = false

  /// The line at the window's start, from 1.
  private(set) var line = 1
  /// True before the window was moved.
  private(set) var isAtStart = true

  init(source: some KeyListSource) {
    self.source = source
    buffer = [UInt8](repeating: 0, count: 4 * Self.lookahead)
  }

  /// How many bytes are visible: 0 only at the end of the list.
  var count: Int { min(end - start, Self.lookahead) }

  /// True when the list continues after the `count` visible bytes.
  var continues: Bool { end - start > Self.lookahead || !isExhausted }

  /// The bytes of the list before the window's start.
  var position: Int { position(of: 0) }

  /// The bytes of the list before a visible byte.
  func position(of offset: Int) -> Int { passed + length(of: 0..<start + offset) }

  func starts(with prefix: [UInt8]) -> Bool {
    count >= prefix.count && self[0..<prefix.count].elementsEqual(prefix)
  }

  subscript(offset: Int) -> UInt8 { buffer[start + offset] }

  /// The visible bytes from offset `bounds.lowerBound` up to `bounds.upperBound`.
  subscript(bounds: Range<Int>) -> ArraySlice<UInt8> {
    buffer[start + bounds.lowerBound..<start + bounds.upperBound]
  }

  /// The offset of the first `byte` at or after `offset` in the visible bytes.
  func firstOffset(of byte: UInt8, from offset: Int = 0) -> Int? {
    Sighting.search(byte, in: buffer, from: start + offset, to: start + count).map { $0 - start }
  }

  /// The first visible line end: one byte, or two for CRLF. If its second half may not be visible, it does not count.
  mutating func lineEnd() -> Range<Int>? {
    let feed = feed.first(in: buffer, from: start, to: end)
    var carriage = carriage.first(in: buffer, from: start, to: end)
    if let found = carriage, found > feed ?? end { carriage = nil }
    let visible = start + count
    if let carriage, carriage + 1 < visible || (carriage < visible && !continues) {
      let isPair = carriage + 1 < visible && buffer[carriage + 1] == UInt8(ascii: "\n")
      return carriage - start..<carriage - start + (isPair ? 2 : 1)
    }
    guard carriage == nil, let feed, feed < visible else { return nil }
    return feed - start..<feed - start + 1
  }

  /// Makes `lookahead` bytes visible, or all that are left.
  mutating func fill() throws(KeyListError) {
    if end - start >= Self.lookahead || isExhausted { return }
    try refill()
  }

  private mutating func refill() throws(KeyListError) {
    dropPassed()
    while end < Self.lookahead {
      let count = try readMore()
      if count == 0 {
        isExhausted = true
        return
      }
      end += count
    }
  }

  private mutating func dropPassed() {
    guard start > 0 else { return }
    passed += length(of: 0..<start)
    buffer.withUnsafeMutableBytes { bytes in
      guard let base = bytes.baseAddress else { return }
      _ = memmove(base, base + start, end - start)
    }
    end -= start
    feed.shift(by: start)
    carriage.shift(by: start)
    start = 0
  }

  private mutating func readMore() throws(KeyListError) -> Int {
    var source = source
    defer { self.source = source }
    return try buffer.withUnsafeMutableBufferPointer { (bytes) throws(KeyListError) -> Int in
      try source.read(into: UnsafeMutableRawBufferPointer(UnsafeMutableBufferPointer(rebasing: bytes[end...])))
    }
  }

  /// Reads to the end of the list and returns its length in bytes. Nothing can be read afterwards.
  mutating func total() throws(KeyListError) -> Int {
    while !isExhausted {
      start = end
      try refill()
    }
    start = end
    return position
  }

  /// How many bytes of the list `range` of the buffer was: differs from its length only in UTF-16.
  private func length(of range: Range<Int>) -> Int {
    guard isUTF16 else { return range.count }
    return buffer[range].reduce(0) { $0 + ($1 & 0xc0 == 0x80 ? 0 : $1 >= 0xf0 ? 4 : 2) }
  }
}

// MARK: - Moving

extension ListBytes {
  /// Skips the byte order mark; what follows is the list's beginning.
  mutating func skipByteOrderMark() {
    start += Edges.byteOrderMark.count
  }

  /// Treats the list as UTF-16 with the byte order mark at the window's start.
  mutating func becomeUTF16(isBigEndian: Bool) {
    source = UTF16Source(raw: Array(buffer[(start + 2)..<end]), source: source, isBigEndian: isBigEndian)
    (start, end, passed, isExhausted, isUTF16) = (0, 0, 2, false, true)
    feed = Sighting(of: UInt8(ascii: "\n"))
    carriage = Sighting(of: UInt8(ascii: "\r"))
  }

  /// Moves past `count` bytes with `lines` line ends.
  mutating func advance(_ count: Int, lines: Int = 0) {
    start += count
    line += lines
    isAtStart = false
  }

  /// Moves past the rest of the line and its end, however long it is. False when the list ends before the line does.
  @discardableResult
  mutating func skipLine() throws(KeyListError) -> Bool {
    while true {
      try fill()
      if let end = lineEnd() {
        advance(end.upperBound, lines: 1)
        return true
      }
      if count == 0 { return false }
      // A carriage return that is the last visible byte waits for what follows it.
      let isCut = continues && self[count - 1] == UInt8(ascii: "\r")
      advance(isCut ? count - 1 : count)
    }
  }
}

/// The remembered position of a byte in a buffer, so that nothing is searched twice.
private struct Sighting {
  private let byte: UInt8
  /// There is none between `from` and `position`; there is one at `position` when `isFound`.
  private var from = 0
  private var position = 0
  private var isFound = false

  init(of byte: UInt8) {
    self.byte = byte
  }

  @inline(__always)
  mutating func first(in buffer: [UInt8], from start: Int, to end: Int) -> Int? {
    // Usually nothing has to be searched.
    if from <= start, start <= position, isFound || position >= end { return isFound ? position : nil }
    return search(in: buffer, from: start, to: end)
  }

  private mutating func search(in buffer: [UInt8], from start: Int, to end: Int) -> Int? {
    if start < from || start > position { (from, position, isFound) = (start, start, false) }
    if !isFound, position < end {
      let found = Self.search(byte, in: buffer, from: position, to: end)
      isFound = found != nil
      position = found ?? end
    }
    return isFound ? position : nil
  }

  mutating func shift(by count: Int) {
    from -= count
    position -= count
    if position < 0 { (from, position, isFound) = (0, 0, false) }
  }

  static func search(_ byte: UInt8, in buffer: [UInt8], from start: Int, to end: Int) -> Int? {
    guard start < end else { return nil }
    return buffer.withUnsafeBytes { bytes -> Int? in
      guard let base = bytes.baseAddress, let found = memchr(base + start, Int32(byte), end - start) else { return nil }
      return UnsafeRawPointer(found) - base
    }
  }
}
