import Foundation
import GRDB
import Glibc

extension RegistrationQueue {
  /// Copies the queue as it is at one moment into a new file at `path`, while the work goes on, and looks the copy through.
  /// On the disk when this returns. Blocks for as long as copying takes; the log is not begun anew meanwhile.
  ///
  /// Throws `QueueError`; nothing is left at `path` then.
  package func backup(to path: String) throws {
    try requireSound()
    do {
      var configuration = Self.configuration
      configuration.label = "queue.backup"
      let copy = try DatabaseQueue(path: path, configuration: configuration)
      try pool.backup(to: copy)
      let found = try copy.read { database in try String.fetchOne(database, sql: "PRAGMA quick_check(1)") }
      if let found, found != "ok" { throw seal(found) }
      try copy.close()
      try QueueFile.sync(path)
    } catch {
      QueueFile.remove(path)
      if let error = error as? QueueError { throw error }
      throw QueueError(error, doing: "back the queue up to \(path)")
    }
  }
}

/// A database file and what SQLite puts beside it.
enum QueueFile {
  static func remove(_ path: String) {
    for suffix in ["", "-wal", "-shm", "-journal"] { unlink(path + suffix) }
  }

  /// Brings the content of `path` to the disk.
  static func sync(_ path: String) throws(QueueError) {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw .unreadable(path, SystemError(code: errno)) }
    defer { close(descriptor) }
    guard fsync(descriptor) == 0 else { throw .unreadable(path, SystemError(code: errno)) }
  }

  /// Renames `old` to `new`. Nothing of that name is no error.
  static func move(_ old: String, to new: String) throws(QueueError) {
    guard rename(old, new) != 0, errno != ENOENT else { return }
    throw .unreadable(old, SystemError(code: errno))
  }
}
