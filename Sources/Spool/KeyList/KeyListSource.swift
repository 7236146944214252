import Glibc

/// Where the bytes of a list come from: a file in the spool, the body of a request, standard input.
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

/// A list that streams from an open descriptor, such as standard input. The descriptor stays open and is the caller's.
package struct StreamSource: KeyListSource {
  private let descriptor: Int32

  package init(descriptor: Int32) {
    self.descriptor = descriptor
  }

  package mutating func read(into buffer: UnsafeMutableRawBufferPointer) throws(KeyListError) -> Int {
    while true {
      let count = Glibc.read(descriptor, buffer.baseAddress, buffer.count)
      if count >= 0 { return count }
      let code = errno
      if code != EINTR { throw .unreadable(code) }
    }
  }
}

extension KeyListError {
  /// Reading failed with the `errno` value `code`.
  static func unreadable(_ code: Int32) -> KeyListError {
    KeyListError(
      kind: .unreadable(code), message: "the list cannot be read: \(SystemFault.text(code))",
      hint: code == EIO ? "look at the system log: the disk may be failing" : "see that the file can be read")
  }
}
