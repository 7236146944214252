import Glibc

/// A file in the making: written under a temporary name, on the disk before it gets its own, so that nobody ever sees
/// half of it. Without `replace` or `claim` it vanishes with its last owner.
package final class NewFile {
  /// Names of files in the making begin and end so; a kill leaves them behind, and the sweep removes them.
  private static let prefix = ".keyreg-"
  private static let suffix = ".tmp"

  static func isTemporary(_ name: FileName) -> Bool {
    name.bytes.starts(with: prefix.utf8) && name.bytes.suffix(suffix.utf8.count).elementsEqual(suffix.utf8)
  }

  let folder: Folder
  let temporaryName: FileName
  private let descriptor: Descriptor
  private var buffer: [UInt8] = []
  private(set) var isNamed = false
  /// For messages: the same in each of them, so that a fault that lasts is told once.
  private let shown: String

  private static let bufferSize = 64 * 1024

  /// Begins a file that owner and group may read, whatever the umask: who drops a list and who reads it are often two
  /// users of one group.
  init(in folder: Folder) throws(SpoolError) {
    self.folder = folder
    let number = String(UInt64.random(in: .min ... .max), radix: 36)
    temporaryName = FileName("\(Self.prefix)\(getpid())-\(number)\(Self.suffix)")
    shown = "a file in \(folder.path)"
    do throws(SpoolError) {
      descriptor = try folder.open(temporaryName, flags: O_RDWR | O_CREAT | O_EXCL, mode: 0o640)
    } catch {
      throw SpoolError("write \(shown)", code: error.code)
    }
    guard fchmod(descriptor.number, 0o640) == 0 else {
      throw SpoolError("set the mode of \(shown)", code: errno)
    }
    // Who drops may be root, or of another main group, and the folder without the bit that hands its group down: the
    // daemon could not read the list. Where it is not permitted, the file stays as it is and shows as blocked.
    if let group = folder.group, FileStatus.group(of: descriptor.number) != group {
      _ = fchown(descriptor.number, uid_t.max, group)
    }
  }

  deinit {
    // Nobody is left to tell; what stays is swept after a day.
    if !isNamed { try? folder.remove(temporaryName) }
  }

  package func write(_ bytes: some Collection<UInt8>) throws(SpoolError) {
    buffer += bytes
    if buffer.count >= Self.bufferSize { try flush() }
  }

  /// Brings the content to the disk and gives the file the name `name`, replacing what had it.
  func replace(_ name: FileName, syncsFolder: Bool = true) throws(SpoolError) {
    try sync()
    try folder.rename(temporaryName, to: name, in: folder)
    isNamed = true
    if syncsFolder { try folder.sync() }
  }

  /// Brings the content to the disk and gives the file the name `name` unless something has it: false then, and another
  /// name can be tried.
  func claim(_ name: FileName) throws(SpoolError) -> Bool {
    try sync()
    guard try folder.rename(temporaryName, toFree: name, in: folder) else { return false }
    isNamed = true
    try folder.sync()
    return true
  }

  package func identity() throws(SpoolError) -> FileStatus.Identity {
    try FileStatus(descriptor: descriptor.number, path: shown).identity
  }

  /// The content so far, for reading it back.
  func open() throws(SpoolError) -> SpoolFile {
    try flush()
    return try SpoolFile(temporaryName, in: folder, maximumSize: nil)
  }

  /// Brings the content to the disk, still under the temporary name.
  package func sync() throws(SpoolError) {
    try flush()
    guard fsync(descriptor.number) == 0 else {
      throw SpoolError("write \(shown) to the disk", code: errno)
    }
  }

  private func flush() throws(SpoolError) {
    var written = 0
    while written < buffer.count {
      let count = buffer[written...].withUnsafeBytes { Glibc.write(descriptor.number, $0.baseAddress, $0.count) }
      if count > 0 {
        written += count
      } else if errno != EINTR {
        let code = errno
        buffer.removeFirst(written)
        throw SpoolError("write \(shown)", code: code)
      }
    }
    buffer.removeAll(keepingCapacity: true)
  }
}
