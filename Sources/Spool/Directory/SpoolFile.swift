import Crypto
import Glibc
package import KeyList

/// A list in the spool, open for reading. Whatever happens to its name, the same bytes are read; `isUnchanged` tells
/// whether they are still what was opened.
package final class SpoolFile: Sendable {
  package let name: FileName
  /// As it was when it was opened.
  package let status: FileStatus
  private let folder: Folder
  private let descriptor: Descriptor

  /// Bytes.
  package var size: Int64 { status.size }

  /// Opens `name` if it is a regular file of at most `maximumSize` bytes.
  ///
  /// The name is first resolved without opening anything, so that even one that is exchanged at this moment cannot make
  /// us wait for a FIFO, wake a device or follow a link; then exactly what it resolved to is opened.
  init(_ name: FileName, in folder: Folder, maximumSize: Int64?) throws(SpoolError) {
    let handle = try folder.open(name, flags: LinuxFlag.openPath)
    let path = folder.shown(name)
    let found = try FileStatus(descriptor: handle.number, path: path)
    guard found.kind == .regular else {
      throw SpoolError(
        kind: .notRegular, message: "\(path) is no regular file but a \(found.kind.rawValue)",
        hint: "drop the list itself; links are not followed")
    }
    if let maximumSize, found.size > maximumSize {
      throw SpoolError(
        kind: .tooLarge, message: "\(path) has \(found.size) bytes, more than the \(maximumSize) allowed",
        hint: "split the list, or raise spool.max_file_size")
    }
    let number = Glibc.open("/proc/self/fd/\(handle.number)", O_RDONLY | O_NONBLOCK | O_CLOEXEC)
    guard number >= 0 else {
      let code = errno
      var error = SpoolError("read \(path)", code: code)
      // The file is there, `handle` holds it.
      if code == ENOENT { error = SpoolError(kind: .system, message: error.message, hint: "mount /proc", code: code) }
      throw error
    }
    descriptor = Descriptor(owning: number)
    status = try FileStatus(descriptor: number, path: path)
    self.name = name
    self.folder = folder
  }

  /// A reader of the list from its beginning. Several can be in use at a time.
  package func reader() -> KeyListReader {
    KeyListReader(source())
  }

  /// The bytes of the list from the beginning.
  package func source() -> FileSource {
    FileSource(descriptor: descriptor)
  }

  /// The SHA-256 of the bytes, in lower-case hexadecimal. Streams.
  package func sha256() throws(KeyListError) -> String {
    var hash = SHA256()
    var source = source()
    var buffer = [UInt8](repeating: 0, count: 256 * 1024)
    while true {
      let count = try buffer.withUnsafeMutableBufferPointer { (bytes) throws(KeyListError) -> Int in
        try source.read(into: UnsafeMutableRawBufferPointer(bytes))
      }
      if count == 0 { break }
      buffer.withUnsafeBytes { hash.update(bufferPointer: UnsafeRawBufferPointer(rebasing: $0[..<count])) }
    }
    return hash.finalize().map { byte in (byte < 16 ? "0" : "") + String(byte, radix: 16) }.joined()
  }

  /// True when somebody has the file open for writing, nil when that cannot be told: leases are for the file's owner and
  /// for CAP_LEASE, and not on every file system.
  ///
  /// The lease is given back at once. Should a writer come just then, the system tells us by a signal: SIGURG, which
  /// nobody needs to ignore, in place of SIGIO, which ends a process.
  func hasWriter() -> Bool? {
    guard fcntl(descriptor.number, LinuxFlag.setLeaseSignal, SIGURG) == 0 else { return nil }
    if fcntl(descriptor.number, LinuxFlag.setLease, Int32(F_RDLCK)) == 0 {
      _ = fcntl(descriptor.number, LinuxFlag.setLease, Int32(F_UNLCK))
      return false
    }
    return errno == EAGAIN ? true : nil
  }

  /// True while nobody has written to the file since it was opened. Ask after reading and before committing what was
  /// read: a list that grew meanwhile is read again.
  package func isUnchanged() throws(SpoolError) -> Bool {
    let now = try FileStatus(descriptor: descriptor.number, path: folder.shown(name))
    return now.size == status.size && now.changed == status.changed
  }
}
