import Glibc
package import KeyList

/// The bytes of an open file. Each source has its own place in it, so several can read at a time.
package struct FileSource: KeyListSource {
  private let descriptor: Descriptor
  private var offset = 0

  init(descriptor: Descriptor) {
    self.descriptor = descriptor
  }

  package mutating func read(into buffer: UnsafeMutableRawBufferPointer) throws(KeyListError) -> Int {
    while true {
      let count = pread(descriptor.number, buffer.baseAddress, buffer.count, off_t(offset))
      if count >= 0 {
        offset += count
        return count
      }
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
