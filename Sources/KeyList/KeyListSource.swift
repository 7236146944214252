/// Where the bytes of a list come from: a file in the spool, the body of a request, memory.
///
/// A copy of a source reads on independently from the original's position: the meaning of an object may be known only
/// at its end, and then it is read again.
package protocol KeyListSource: Sendable {
  /// Puts up to `buffer.count` bytes (at least one) into `buffer` and returns how many; 0 at the end.
  mutating func read(into buffer: UnsafeMutableRawBufferPointer) throws(KeyListError) -> Int
}

/// A list that is in memory.
package struct MemorySource: KeyListSource {
  private let bytes: [UInt8]
  private var position = 0

  package init(_ bytes: some Sequence<UInt8>) {
    self.bytes = Array(bytes)
  }

  package mutating func read(into buffer: UnsafeMutableRawBufferPointer) -> Int {
    let count = min(buffer.count, bytes.count - position)
    buffer.copyBytes(from: bytes[position..<position + count])
    position += count
    return count
  }
}
