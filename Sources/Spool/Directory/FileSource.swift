import Glibc
package import KeyList
import Registration
import Synchronization

/// The bytes of an open file up to a fixed size. Each source has its own position, so several can read at the same
/// time.
package struct FileSource: KeyListSource {
  private let descriptor: Descriptor
  private let size: Int64
  private var offset: Int64
  private let mark: Mark?

  /// The furthest position that was read.
  final class Mark: Sendable {
    let offset = Atomic<Int64>(0)
  }

  init(descriptor: Descriptor, size: Int64, from offset: Int64 = 0, mark: Mark? = nil) {
    self.descriptor = descriptor
    self.size = size
    self.offset = offset
    self.mark = mark
  }

  package mutating func read(into buffer: UnsafeMutableRawBufferPointer) throws(KeyListError) -> Int {
    let wanted = min(buffer.count, Int(max(0, size - offset)))
    guard wanted > 0 else { return 0 }
    let count: Int
    do throws(SystemFault) {
      count = try FileIO.read(
        descriptor.number, into: UnsafeMutableRawBufferPointer(rebasing: buffer[..<wanted]), at: Int(offset))
    } catch {
      throw .unreadable(error.code)
    }
    offset += Int64(count)
    _ = mark?.offset.max(offset, ordering: .relaxed)
    return count
  }
}

extension KeyListError {
  /// Reading failed with the `errno` value `code`.
  static func unreadable(_ code: Int32) -> KeyListError {
    KeyListError(
      kind: .unreadable(code), message: "the list cannot be read: \(SystemFault(code: code).text)",
      hint: code == EIO ? "look at the system log: the disk may be failing" : "make sure that the file can be read")
  }
}
