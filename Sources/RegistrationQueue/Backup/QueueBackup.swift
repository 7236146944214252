import Foundation
import GRDB
import Glibc
import Registration

extension RegistrationQueue {
  /// Copies the queue as it is at one moment into a new file at `path`, while work goes on, and checks the copy. It is
  /// on disk when this returns. Blocks while copying; the log cannot restart meanwhile.
  ///
  /// Throws `QueueError`; then there is nothing at `path`.
  package func backup(to path: String) throws {
    try requireSound()
    if let damage = try Self.copy(pool, to: path, checking: .everything) { throw seal(damage) }
  }

  /// How much of a copy is checked.
  enum CopyCheck: String {
    /// As a restore checks it: two seconds for a million keys.
    case everything = "integrity_check"
    /// A tenth of that: indexes are not compared with their tables.
    case trees = "quick_check"
  }

  /// The same for a queue that is not open yet. Returns what is wrong with the queue; then there is nothing at `path`.
  static func copy(_ pool: DatabasePool, to path: String, checking check: CopyCheck) throws -> String? {
    do {
      var configuration = Self.configuration
      configuration.label = "queue.backup"
      let copy = try DatabaseQueue(path: path, configuration: configuration)
      try pool.backup(to: copy)
      let found = try copy.read { database in try String.fetchOne(database, sql: "PRAGMA \(check.rawValue)(1)") }
      try copy.close()
      if let found, found != "ok" {
        QueueFile.remove(path)
        return found
      }
      try QueueFile.sync(path)
      return nil
    } catch {
      QueueFile.remove(path)
      if let error = error as? QueueError { throw error }
      throw QueueError(error, doing: "copy the queue to \(path)")
    }
  }
}

/// A database file and the files that SQLite keeps beside it.
enum QueueFile {
  static func remove(_ path: String) {
    for suffix in ["", "-wal", "-shm", "-journal"] { unlink(path + suffix) }
  }

  /// The first file of a queue that another user owns. A copy that root has put there is the usual case.
  static func foreign(_ path: String) -> QueueError? {
    for file in ["", "-wal", "-shm", ".mark"].map({ path + $0 }) {
      var status = stat()
      if geteuid() != 0, stat(file, &status) == 0, status.st_uid != geteuid() {
        return .foreign(path: file, owner: status.st_uid)
      }
    }
    return nil
  }

  /// Writes the content of `path` to disk.
  static func sync(_ path: String) throws(QueueError) {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw .unreadable(path, SystemFault(code: errno)) }
    defer { close(descriptor) }
    guard fsync(descriptor) == 0 else { throw .unreadable(path, SystemFault(code: errno)) }
  }

  /// Renames `old` to `new`. It is not an error if `old` does not exist.
  static func move(_ old: String, to new: String) throws(QueueError) {
    guard rename(old, new) != 0, errno != ENOENT else { return }
    throw .unreadable(old, SystemFault(code: errno))
  }
}
