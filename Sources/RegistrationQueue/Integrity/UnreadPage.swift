import GRDB
import Glibc
import Registration
import Synchronization

/// A page that could not be read is not a damaged one, but SQLite says "malformed" of both when the system's error is EIO
/// (`SQLITE_IOERR_CORRUPTFS` becomes `SQLITE_CORRUPT`).
final class UnreadPage: Sendable {
  private let files: [String]
  /// Never closed: that would release the locks that SQLite has on the file.
  private let descriptors = Mutex<[String: Int32]>([:])

  /// - Parameter database: Its path; the log is beside it.
  init(of database: String) {
    files = [database, database + "-wal"]
  }

  /// Runs `body`, and runs it again when SQLite found damage but the files can be read from beginning to end. Throws
  /// `QueueError` of the kind `disk` when they cannot, and otherwise what the last run threw.
  ///
  /// - Parameter body: Changes nothing but the database, and nothing there when it throws.
  func tryingAgain<Value>(_ body: () throws -> Value) throws -> Value {
    do {
      return try body()
    } catch let error as DatabaseError where error.resultCode == .SQLITE_CORRUPT {
      for file in files { try requireReadable(file) }
      return try body()
    }
  }

  private func requireReadable(_ file: String) throws(QueueError) {
    do throws(SystemFault) {
      let descriptor = try descriptor(of: file)
      var offset = 0
      while true {
        let count = try FileIO.read(descriptor, upTo: 1 << 20, at: offset).count
        if count == 0 { return }
        offset += count
      }
    } catch {
      throw .unreadable(file, error)
    }
  }

  private func descriptor(of file: String) throws(SystemFault) -> Int32 {
    try descriptors.withLock { (descriptors) throws(SystemFault) in
      if let open = descriptors[file] { return open }
      let descriptor = try FileIO.open(file, O_RDONLY)
      descriptors[file] = descriptor
      return descriptor
    }
  }
}
