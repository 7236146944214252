/// Where the bytes of a list come from: a file in the spool, the body of a request, what is in memory.
///
/// A copy of a source reads on for itself from where the original stood: what an object means may be known at its end only,
/// and then it is read again.
package protocol KeyListSource: Sendable {
  /// Puts up to `buffer.count` bytes (at least one is asked for) into `buffer` and returns how many; 0 at the end.
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
