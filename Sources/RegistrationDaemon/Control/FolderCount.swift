import Glibc
import Registration
import Spool
import Synchronization

/// How many files of a folder have an ending. The folder is read only when a name in it has come or gone.
final class FolderCount: Sendable {
  private struct Count {
    var identity: [UInt64]
    /// Of the last change, and of the count, in nanoseconds since 1970.
    var changed: Int64
    var at: Int64
    var files: Int
  }

  /// Two changes within one tick of the file system's clock have the same time. In nanoseconds.
  private static let tick: Int64 = 3_000_000_000

  private let path: String
  private let suffix: String
  private let last = Mutex<Count?>(nil)

  init(path: String, suffix: String) {
    self.path = path
    self.suffix = suffix
  }

  func current(now: Timestamp) throws(SpoolError) -> Int {
    guard let stream = opendir(path) else { throw SpoolError("open the folder \(path)", code: errno) }
    defer { closedir(stream) }
    var status = stat()
    guard fstat(dirfd(stream), &status) == 0 else { throw SpoolError("look at \(path)", code: errno) }
    let identity = [UInt64(status.st_dev), UInt64(status.st_ino)]
    let changed = Int64(status.st_mtim.tv_sec) * 1_000_000_000 + Int64(status.st_mtim.tv_nsec)
    if let known = last.withLock({ $0 }), known.identity == identity, known.changed == changed,
      known.at - known.changed > Self.tick
    {
      return known.files
    }
    let at = now.milliseconds * 1_000_000
    var files = 0
    while let entry = readdir(stream) {
      let name = withUnsafeBytes(of: &entry.pointee.d_name) { $0.prefix { $0 != 0 } }
      if name.count > suffix.utf8.count, name.suffix(suffix.utf8.count).elementsEqual(suffix.utf8) { files += 1 }
    }
    last.withLock { $0 = Count(identity: identity, changed: changed, at: at, files: files) }
    return files
  }
}
