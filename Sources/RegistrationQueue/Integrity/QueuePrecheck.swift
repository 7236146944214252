import Glibc
import Registration

/// A limited check of a queue's files before SQLite opens them. Opening writes (it replays the log), and files that are
/// not in order must stay as they were found.
struct QueuePrecheck: Sendable {
  enum Condition: Hashable, Sendable {
    /// There never was a queue, or a kill came while the first one was being created.
    case absent
    case present
  }

  let condition: Condition
  /// The last run ended cleanly, and left nothing in the log.
  let wasClosed: Bool
  /// An earlier run found damage.
  let isSuspect: Bool

  /// Throws `QueueError`: `corrupt`, `missing`, `older` or `disk`, each with a hint.
  ///
  /// - Parameters:
  ///   - isNewMeant: The operator allows a new queue in place of one that is gone.
  ///   - isOlderMeant: The operator allows a queue that lacks commits.
  init(path: String, isNewMeant: Bool = false, isOlderMeant: Bool = false) throws(QueueError) {
    let mark = QueueMark.read(of: path)
    guard let file = try Self.open(path) else {
      try Self.requireNoQueue(path, mark: mark, isNewMeant: isNewMeant, found: "is not there")
      self.init(.absent)
      return
    }
    defer { close(file.descriptor) }
    guard file.size > 0 else {
      try Self.requireNoQueue(path, mark: mark, isNewMeant: isNewMeant, found: "is empty")
      self.init(.absent)
      return
    }
    let header = try Self.header(of: file, path: path)
    let log = try Self.log(of: path, pageSize: header.pageSize)
    try Self.compare(header, log, size: file.size, path: path)
    if !isOlderMeant, let mark, let newest = log.last ?? header.commit, newest.distance(from: mark.commit) < 0 {
      throw .older(path: path, commits: -newest.distance(from: mark.commit))
    }
    self.init(
      .present, wasClosed: mark?.state == .closed && log.commits == 0, isSuspect: mark?.state == .damaged)
  }

  private init(_ condition: Condition, wasClosed: Bool = true, isSuspect: Bool = false) {
    self.condition = condition
    self.wasClosed = wasClosed
    self.isSuspect = isSuspect
  }

  private static func requireNoQueue(
    _ path: String, mark: QueueMark?, isNewMeant: Bool, found: String
  ) throws(QueueError) {
    guard !isNewMeant else { return }
    if mark != nil { throw .missing(path: path, found: found, evidence: "a queue was here (\(path).mark says so)") }
    if let log = try open(path + "-wal") {
      close(log.descriptor)
      if log.size > 0 { throw .missing(path: path, found: found, evidence: "its log \(path)-wal is still here") }
    }
  }

  private static func header(of file: (descriptor: Int32, size: Int), path: String) throws(QueueError) -> DatabaseHeader
  {
    let bytes: [UInt8]
    do throws(SystemFault) {
      bytes = try FileIO.read(file.descriptor, upTo: DatabaseHeader.size, at: 0)
    } catch {
      throw .unreadable(path, error)
    }
    do throws(DatabaseHeaderError) {
      return try DatabaseHeader(bytes)
    } catch {
      switch error.flaw {
      case .foreign: throw .corrupt(path: path, "it is not an SQLite database, or its first bytes are damaged")
      case .otherApplication: throw .corrupt(path: path, "it belongs to another program, or its header is damaged")
      case .field(let name): throw .corrupt(path: path, "its header is damaged (\(name))")
      }
    }
  }

  private static func log(of path: String, pageSize: Int) throws(QueueError) -> WriteAheadLog {
    guard let file = try open(path + "-wal") else { return WriteAheadLog() }
    defer { close(file.descriptor) }
    do throws(SystemFault) {
      return try WriteAheadLog(descriptor: file.descriptor, databasePageSize: pageSize)
    } catch {
      throw .unreadable(path + "-wal", error)
    }
  }

  private static func compare(
    _ header: DatabaseHeader, _ log: WriteAheadLog, size: Int, path: String
  ) throws(QueueError) {
    // Before commits were numbered, not every transaction was flushed.
    if let stranded = log.stranded, header.commit != nil || log.first != nil {
      // A header may be torn while the log restarts: then all of the old log is in the database.
      let isInDatabase = stranded.commit.flatMap { commit in header.commit.map { $0.distance(from: commit) >= 0 } }
      if !log.isHeaderBroken || isInDatabase == false { throw .damagedLog(path: path) }
    }
    guard log.commits > 0 else {
      // While the log has commits, the file may be shorter than its header says: the rest is in the log.
      if size < header.pages * header.pageSize {
        throw .corrupt(path: path, "it was cut off: \(size) of \(header.pages * header.pageSize) bytes are left")
      }
      return
    }
    guard log.pageSize == header.pageSize else { throw .foreignLog(path: path, "its pages have a different size") }
    guard let commit = header.commit, let first = log.first, let last = log.last else { return }
    // The log restarts only when all of it is in the database: the database has every commit before the log's first.
    if first.distance(from: commit) > 1 {
      throw .foreignLog(
        path: path, "the database is older: \((first.distance(from: commit) - 1).counted("commit")) in neither file")
    }
    if last.distance(from: commit) < 0 { throw .foreignLog(path: path, "the database is newer") }
  }

  private static func open(_ path: String) throws(QueueError) -> (descriptor: Int32, size: Int)? {
    let descriptor: Int32
    do throws(SystemFault) {
      descriptor = try FileIO.open(path, O_RDONLY)
    } catch {
      if error.code == ENOENT { return nil }
      throw .unreadable(path, error)
    }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else {
      let error = SystemFault(code: errno)
      close(descriptor)
      throw .unreadable(path, error)
    }
    guard status.st_mode & S_IFMT == S_IFREG else {
      close(descriptor)
      throw .corrupt(path: path, "it is not a regular file")
    }
    return (descriptor, Int(status.st_size))
  }
}
