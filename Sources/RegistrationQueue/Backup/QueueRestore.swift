import Foundation
import GRDB
import Glibc
import Registration

/// Puts a copy made by `backup` in place of a queue that is not in use.
///
/// The copy is checked before anything is moved. The old queue is renamed, never removed, and its mark last of all: if
/// this is interrupted, the daemon refuses the queue instead of mistaking it for another.
package struct QueueRestore: Sendable {
  /// Keys and lists in the queue that was put in place.
  package let keys: Int
  package let lists: Int
  /// Where the old queue is now, nil when there was none.
  package let aside: String?
  /// What its keys were registered with, if that is not the endpoint that was expected.
  package let otherEndpoint: String?

  /// Checks the copy and puts it in place. Throws `QueueError`: `corrupt` when the file is damaged or not a queue,
  /// `newer` when a later version has written it, `elsewhere` when it is not what is expected, or `disk`. The existing
  /// queue is then unchanged.
  ///
  /// - Parameters:
  ///   - file: The copy. It is not moved.
  ///   - directory: The state directory, whose lock the caller holds.
  ///   - expected: Whose backup it should be.
  package static func putInPlace(
    _ file: String, in directory: StateDirectory, expected: QueueOrigin.Expected
  ) throws -> QueueRestore {
    let path = directory.queuePath
    let temporary = path + ".restore.tmp"
    defer { QueueFile.remove(temporary) }
    QueueFile.remove(temporary)
    do {
      if let log = FileManager.default.contents(atPath: file + "-wal"), !log.isEmpty {
        throw QueueError.copiedByHand(path: file)
      }
      try copy(file, to: temporary, likeOwnerOf: directory.path)
      let found = try prepare(temporary, shown: file, expected)
      try QueueFile.sync(temporary)
      let aside = try exchange(temporary, path)
      return QueueRestore(
        keys: found.keys, lists: found.lists, aside: aside, otherEndpoint: found.otherEndpoint)
    } catch let error as QueueError where error.kind == .corrupt {
      throw QueueError(
        kind: .corrupt, description: error.description.replacingOccurrences(of: temporary, with: file),
        hint: "nothing was changed; use another backup")
    } catch let error as SystemFault {
      throw QueueError.unreadable(file, error)
    } catch {
      throw error as? QueueError ?? QueueError(error, doing: "restore the queue from \(file)")
    }
  }

  /// Renames the old queue and puts the new one in its place. Returns where the old one is.
  private static func exchange(_ temporary: String, _ path: String) throws -> String? {
    let stamp = Timestamp.now().milliseconds
    let aside = access(path, F_OK) == 0 ? "\(path).aside-\(stamp)" : nil
    for suffix in ["-wal", "-shm", ""] { try QueueFile.move(path + suffix, to: "\(path)\(suffix).aside-\(stamp)") }
    try QueueFile.move(temporary, to: path)
    try QueueFile.move(path + ".mark", to: "\(path).mark.aside-\(stamp)")
    try FileIO.syncFolder(of: path)
    return aside
  }

  /// Reads all of `file`, which need not be seekable, into a file with the folder's owner.
  private static func copy(_ file: String, to path: String, likeOwnerOf folder: String) throws {
    let source = file == "-" ? dup(STDIN_FILENO) : open(file, O_RDONLY | O_CLOEXEC)
    guard source >= 0 else { throw SystemFault(code: errno) }
    defer { close(source) }
    let target = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
    guard target >= 0 else { throw QueueError.unreadable(path, SystemFault(code: errno)) }
    defer { close(target) }
    var status = stat()
    if geteuid() == 0, stat(folder, &status) == 0, fchown(target, status.st_uid, status.st_gid) != 0 {
      throw QueueError.unreadable(path, SystemFault(code: errno))
    }
    while true {
      let piece = try FileIO.read(source, upTo: 1 << 20)
      if piece.isEmpty { return }
      do throws(SystemFault) {
        try FileIO.write(piece.span.bytes, to: target)
      } catch {
        throw QueueError.unreadable(path, error)
      }
    }
  }

  /// Checks the copy, and notes in it whose it is and that it may be older than its spool.
  private static func prepare(
    _ path: String, shown: String, _ expected: QueueOrigin.Expected
  ) throws -> (keys: Int, lists: Int, otherEndpoint: String?) {
    guard try QueuePrecheck(path: path).condition == .present else {
      throw QueueError.corrupt(path: shown, "it is empty")
    }
    let copy = try DatabaseQueue(path: path, configuration: RegistrationQueue.configuration)
    let found = try copy.read { database in
      if try Schema.migrator.hasBeenSuperseded(database) { throw QueueError.newer(path: shown) }
      guard try database.tableExists("grdb_migrations"), try database.tableExists("key") else {
        throw QueueError.corrupt(path: shown, "it is an SQLite database, but not a queue")
      }
      if let found = try String.fetchOne(database, sql: "PRAGMA integrity_check(1)"), found != "ok" {
        throw QueueError.corrupt(path: shown, found)
      }
      if try Schema.migrator.hasCompletedMigrations(database) { try SchemaCheck.require(database, path: shown) }
      // It may be of an earlier version: these tables have been there from the first one on.
      let lists = try Int.fetchOne(database, sql: "SELECT count(*) FROM list") ?? 0
      return (keys: try Tally.stored(in: database).total, lists: lists)
    }
    let otherEndpoint = try copy.write { database in
      let endpoint = try expected.claim(database, file: shown)
      // Its mark is written at the next start.
      try database.execute(sql: "DELETE FROM memory WHERE name = ?", arguments: [QueueMark.noted])
      // Lists that were imported after the backup are read again from done/ at the next start.
      try RegistrationQueue.keep(true, named: RegistrationQueue.olderIsMeant, in: database)
      return endpoint
    }
    try copy.close()
    return (found.keys, found.lists, otherEndpoint)
  }
}
