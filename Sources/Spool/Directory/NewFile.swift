import Glibc
import Registration

/// A new file: written under a temporary name and on disk before it gets its own, so that nobody ever sees half of it.
/// Without `replace` or `claim` it is deleted when its last owner goes.
package final class NewFile {
  /// The start of temporary names. A kill leaves such files behind, and the sweep removes them.
  private static let prefix = ".keyreg-"
  private static let suffix = ".tmp"

  static func isTemporary(_ name: FileName) -> Bool {
    name.bytes.starts(with: prefix.utf8) && name.bytes.suffix(suffix.utf8.count).elementsEqual(suffix.utf8)
  }

  let folder: Folder
  let temporaryName: FileName
  let descriptor: Descriptor
  private var buffer: [UInt8] = []
  private(set) var isNamed = false
  /// For messages. Without the temporary name, so that a lasting fault is reported once.
  private let shown: String

  private static let bufferSize = 64 * 1024

  /// Creates a file that owner and group may read, whatever the umask: the user who drops a list and the one who reads
  /// it often share only a group.
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
    // The user may be root, or have another main group, and the folder may lack the set-group-id bit: then the daemon
    // could not read the list. If changing the group is not permitted, the file stays as it is and shows as blocked.
    if let group = folder.group, FileStatus.group(of: descriptor.number) != group {
      _ = fchown(descriptor.number, uid_t.max, group)
    }
  }

  deinit {
    // There is nobody left to report to; what remains is swept after a day.
    if !isNamed { try? folder.remove(temporaryName) }
  }

  package func write(_ bytes: some Collection<UInt8>) throws(SpoolError) {
    buffer += bytes
    if buffer.count >= Self.bufferSize { try flush() }
  }

  /// Writes the content to disk and gives the file the name `name`, replacing another file of that name.
  func replace(_ name: FileName) throws(SpoolError) {
    try sync()
    try rename(to: name)
    try folder.sync()
  }

  /// The same for a file that is on disk already. Its name is there after the next sync of the folder.
  func rename(to name: FileName) throws(SpoolError) {
    try folder.rename(temporaryName, to: name, in: folder)
    isNamed = true
  }

  /// Writes the content to disk and gives the file the name `name`. Returns false if that is taken; another name can
  /// then be tried.
  func claim(_ name: FileName) throws(SpoolError) -> Bool {
    try sync()
    guard try folder.rename(temporaryName, toFree: name, in: folder) else { return false }
    isNamed = true
    try folder.sync()
    return true
  }

  /// As it is with everything that was written so far.
  package func status() throws(SpoolError) -> FileStatus {
    try flush()
    return try FileStatus(descriptor: descriptor.number, path: shown)
  }

  /// The content so far, for reading.
  package func open() throws(SpoolError) -> SpoolFile {
    try flush()
    return try SpoolFile(temporaryName, in: folder, maximumSize: nil)
  }

  /// Writes the content to disk, still under the temporary name.
  package func sync() throws(SpoolError) {
    if let error = Self.sync([self])[0] { throw error }
  }

  /// The same for several files at the same time. Returns what is wrong with each, nil for one that is on disk.
  static func sync(_ files: [NewFile]) -> [SpoolError?] {
    let unwritten = files.map { file -> SpoolError? in
      do throws(SpoolError) {
        try file.flush()
        return nil
      } catch {
        return error
      }
    }
    let faults = GroupSync.faults(of: files.map(\.descriptor.number))
    return zip(files, zip(unwritten, faults)).map { file, errors in
      errors.0 ?? errors.1.map { SpoolError("write \(file.shown) to the disk", code: $0.code) }
    }
  }

  /// Has the disk begin to write the content; `sync` then waits less.
  func beginSync() throws(SpoolError) {
    try flush()
    FileIO.beginSync(descriptor.number)
  }

  private func flush() throws(SpoolError) {
    var written = 0
    do throws(SystemFault) {
      while written < buffer.count {
        written += try FileIO.writeOnce(buffer.span.bytes.extracting(droppingFirst: written), to: descriptor.number)
      }
    } catch {
      buffer.removeFirst(written)
      throw SpoolError("write \(shown)", code: error.code)
    }
    buffer.removeAll(keepingCapacity: true)
  }
}
