import Crypto
import Glibc
package import KeyList
import Registration

/// A list in the spool, open for reading. Whatever happens to its name, the same file is read, up to its size when it
/// was opened. What is appended later is read another time; `isUnchanged` says whether there is any.
package final class SpoolFile: Sendable {
  package let name: FileName
  /// Its status when it was opened.
  package let status: FileStatus
  /// For messages.
  private let path: String
  let descriptor: Descriptor
  private let mark = FileSource.Mark()

  /// How far the readers of the list have come, in bytes.
  package var bytesRead: Int64 { mark.offset.load(ordering: .relaxed) }

  /// Bytes.
  package var size: Int64 { status.size }

  /// Opens `name` if it is a regular file of at most `maximumSize` bytes.
  ///
  /// The name is first resolved without opening anything, and then exactly the resolved file is opened. So even a name
  /// that is exchanged at this moment cannot make us wait for a FIFO, wake a device or follow a link.
  init(_ name: FileName, in folder: Folder, maximumSize: Int64?) throws(SpoolError) {
    let handle = try folder.open(name, flags: LinuxFlag.openPath)
    let path = folder.shown(name)
    let found = try FileStatus(descriptor: handle.number, path: path)
    guard found.kind == .regular else {
      throw SpoolError(
        kind: .notRegular, message: "\(path) is a \(found.kind.rawValue), not a regular file",
        hint: "drop the list itself; links are not followed")
    }
    if let maximumSize, found.size > maximumSize {
      throw SpoolError(
        kind: .tooLarge, message: "\(path) has \(found.size) bytes, more than the \(maximumSize) allowed",
        hint: "split the list, or raise spool.max_file_size")
    }
    let number: Int32
    do throws(SystemFault) {
      number = try FileIO.open("/proc/self/fd/\(handle.number)", O_RDONLY | O_NONBLOCK)
    } catch {
      let refusal = SpoolError("read \(path)", code: error.code)
      guard error.code == ENOENT else { throw refusal }
      // The file exists: `handle` holds it.
      throw SpoolError(kind: .system, message: refusal.message, hint: "mount /proc", code: error.code)
    }
    descriptor = Descriptor(owning: number)
    status = try FileStatus(descriptor: number, path: path)
    self.name = name
    self.path = path
  }

  /// A reader of the list from its beginning. Several can be used at the same time.
  package func reader() -> KeyListReader {
    KeyListReader(FileSource(descriptor: descriptor, size: size, mark: mark))
  }

  /// The bytes of the list from the beginning.
  package func source() -> FileSource {
    FileSource(descriptor: descriptor, size: size)
  }

  /// The SHA-256 of the bytes, in lower-case hexadecimal, and that of the first `prefix` bytes if there are as many.
  /// Streams.
  package func sha256(prefix: Int64? = nil) throws(KeyListError) -> (whole: String, prefix: String?) {
    var hash = SHA256()
    var source = source()
    var buffer = [UInt8](repeating: 0, count: Int(min(256 * 1024, max(1, size))))
    var offset: Int64 = 0
    var prefixHash = prefix == 0 ? Self.text(hash) : nil
    while true {
      let count = try buffer.withUnsafeMutableBufferPointer { (bytes) throws(KeyListError) -> Int in
        try source.read(into: UnsafeMutableRawBufferPointer(bytes))
      }
      if count == 0 { break }
      buffer.withUnsafeBytes { bytes in
        var start = 0
        if let prefix, prefix > offset, prefix <= offset + Int64(count) {
          start = Int(prefix - offset)
          hash.update(bufferPointer: UnsafeRawBufferPointer(rebasing: bytes[..<start]))
          prefixHash = Self.text(hash)
        }
        hash.update(bufferPointer: UnsafeRawBufferPointer(rebasing: bytes[start..<count]))
      }
      offset += Int64(count)
    }
    return (Self.text(hash), prefixHash)
  }

  private static func text(_ hash: SHA256) -> String {
    hash.finalize().map { byte in (byte < 16 ? "0" : "") + String(byte, radix: 16) }.joined()
  }

  /// True when the file ends with a line end, and for an empty list.
  package func endsWithLineEnd() throws(KeyListError) -> Bool {
    guard size > 0 else { return true }
    return KeyListReader.endsLine(beginning: try bytes(from: 0, count: 4), end: try bytes(from: size - 2, count: 2))
  }

  /// Those of the `count` bytes from `offset` on that the file has.
  private func bytes(from offset: Int64, count: Int) throws(KeyListError) -> [UInt8] {
    let start = max(0, offset)
    var bytes = [UInt8](repeating: 0, count: count - Int(start - offset))
    var source = FileSource(descriptor: descriptor, size: size, from: start)
    let read = try bytes.withUnsafeMutableBufferPointer { (bytes) throws(KeyListError) -> Int in
      try source.read(into: UnsafeMutableRawBufferPointer(bytes))
    }
    return Array(bytes.prefix(read))
  }

  /// Has the disk begin to write the content; `sync` then waits less.
  func beginSync() { FileIO.beginSync(descriptor.number) }

  /// Writes the content to disk: the list's writer may not have done so.
  package func sync() throws(SpoolError) {
    do throws(SystemFault) {
      try FileIO.sync(descriptor.number)
    } catch {
      throw SpoolError("write \(path) to the disk", code: error.code)
    }
  }

  /// True if nobody has written to the file since it was opened. Ask after reading.
  package func isUnchanged() throws(SpoolError) -> Bool {
    try FileStatus(descriptor: descriptor.number, path: path).hasSameContent(as: status)
  }
}
