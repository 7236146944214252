import Foundation
import GRDB
import Glibc
import Registration

/// Puts a copy that `backup` made in the place of a queue that nobody uses.
///
/// The copy is looked through before anything is moved. What lies there is put aside, never removed, and its note last of
/// all: an end in the middle leaves a queue that the daemon refuses, not one that it takes for another.
package struct QueueRestore: Sendable {
  /// Keys and lists in the queue that was put in place.
  package let keys: Int
  package let lists: Int
  /// Where the old queue is now, nil when there was none.
  package let aside: String?

  /// Looks the copy through and puts it in place. Throws `QueueError`: `corrupt` when the file is damaged or no queue, `newer` when a later version has written it,
  /// `disk`. The queue that is there is as it was then.
  ///
  /// - Parameters:
  ///   - file: The copy. It stays where it is.
  ///   - directory: The state directory, whose lock the caller holds.
  package static func putInPlace(_ file: String, in directory: StateDirectory) throws -> QueueRestore {
    let path = directory.queuePath
    let temporary = path + ".restore.tmp"
    defer { QueueFile.remove(temporary) }
    QueueFile.remove(temporary)
    do {
      if let log = FileManager.default.contents(atPath: file + "-wal"), !log.isEmpty {
        throw QueueError.copiedByHand(path: file)
      }
      try copy(file, to: temporary, likeOwnerOf: directory.path)
      let found = try prepare(temporary, shown: file)
      try QueueFile.sync(temporary)
      let aside = try exchange(temporary, path)
      return QueueRestore(keys: found.keys, lists: found.lists, aside: aside)
    } catch let error as QueueError where error.kind == .corrupt {
      throw QueueError(
        kind: .corrupt, description: error.description.replacingOccurrences(of: temporary, with: file),
        hint: "nothing was changed: use another backup")
    } catch let error as SystemError {
      throw QueueError.unreadable(file, error)
    } catch {
      throw error as? QueueError ?? QueueError(error, doing: "restore the queue from \(file)")
    }
  }

  /// Puts the old queue aside and the new one in its place. Returns where the old one is.
  private static func exchange(_ temporary: String, _ path: String) throws -> String? {
    let stamp = Timestamp.now().milliseconds
    let aside = access(path, F_OK) == 0 ? "\(path).aside-\(stamp)" : nil
    for suffix in ["-wal", "-shm", ""] { try QueueFile.move(path + suffix, to: "\(path)\(suffix).aside-\(stamp)") }
    try QueueFile.move(temporary, to: path)
    try QueueFile.move(path + ".mark", to: "\(path).mark.aside-\(stamp)")
    try QueueMark.syncFolder(of: path)
    return aside
  }

  /// Reads all of `file`, which need not be seekable, into a file that belongs to whoever has the folder.
  private static func copy(_ file: String, to path: String, likeOwnerOf folder: String) throws {
    let source = file == "-" ? dup(STDIN_FILENO) : open(file, O_RDONLY | O_CLOEXEC)
    guard source >= 0 else { throw SystemError(code: errno) }
    defer { close(source) }
    let target = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
    guard target >= 0 else { throw QueueError.unreadable(path, SystemError(code: errno)) }
    defer { close(target) }
    var status = stat()
    if geteuid() == 0, stat(folder, &status) == 0, fchown(target, status.st_uid, status.st_gid) != 0 {
      throw QueueError.unreadable(path, SystemError(code: errno))
    }
    var buffer = [UInt8](repeating: 0, count: 1 << 20)
    while true {
      let count = read(source, &buffer, buffer.count)
      if count == 0 { return }
      if count < 0 {
        if errno == EINTR { continue }
        throw SystemError(code: errno)
      }
      var written = 0
      while written < count {
        let result = buffer[written..<count].withUnsafeBytes { write(target, $0.baseAddress, $0.count) }
        if result > 0 {
          written += result
        } else if errno != EINTR {
          throw QueueError.unreadable(path, SystemError(code: errno))
        }
      }
    }
  }

  /// Looks the copy through, and notes in it that it may be older than its spool.
  private static func prepare(_ path: String, shown: String) throws -> (keys: Int, lists: Int) {
    guard try QueueLook(path: path).condition == .present else {
      throw QueueError.corrupt(path: shown, "it is empty")
    }
    let copy = try DatabaseQueue(path: path, configuration: RegistrationQueue.configuration)
    let found = try copy.read { database in
      if try Schema.migrator.hasBeenSuperseded(database) { throw QueueError.newer(path: shown) }
      guard try database.tableExists("grdb_migrations"), try database.tableExists("key") else {
        throw QueueError.corrupt(path: shown, "it is a SQLite database, but no queue")
      }
      if let found = try String.fetchOne(database, sql: "PRAGMA integrity_check(1)"), found != "ok" {
        throw QueueError.corrupt(path: shown, found)
      }
      if try Schema.migrator.hasCompletedMigrations(database) { try SchemaCheck.require(database, path: shown) }
      return (keys: try Tally.stored(in: database).total, lists: try ListTotals.counted(in: database).total)
    }
    // The lists that were taken in since the backup are read again from done/ at the next start.
    try copy.write { try RegistrationQueue.keep(true, named: RegistrationQueue.olderIsMeant, in: $0) }
    try copy.close()
    return found
  }
}
