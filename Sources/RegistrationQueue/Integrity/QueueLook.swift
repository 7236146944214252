import Glibc

/// A bounded look at a queue's files before SQLite opens them: opening writes (it takes in the log), and what is not what
/// it should be must stay as it was found.
struct QueueLook: Sendable {
  enum Condition: Hashable, Sendable {
    /// No queue was ever here, or a kill came while the very first one was made.
    case absent
    case present
  }

  let condition: Condition
  /// The last run ended well, and left nothing in the log.
  let wasClosed: Bool
  /// An earlier run found damage.
  let isSuspect: Bool

  /// Throws `QueueError`: `corrupt`, `missing`, `older` or `disk`, each with what helps.
  ///
  /// - Parameter isNewMeant: The operator has said that a new queue may take the place of one that is gone.
  init(path: String, isNewMeant: Bool = false) throws(QueueError) {
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
    if let mark, let newest = log.last ?? header.commit, newest.distance(from: mark.commit) < 0 {
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
    var bytes = [UInt8](repeating: 0, count: DatabaseHeader.size)
    let count = pread(file.descriptor, &bytes, bytes.count, 0)
    guard count >= 0 else { throw .unreadable(path, SystemError(code: errno)) }
    do throws(DatabaseHeaderError) {
      return try DatabaseHeader(Array(bytes.prefix(count)))
    } catch {
      switch error.flaw {
      case .foreign: throw .corrupt(path: path, "it is no SQLite database, or its first bytes are damaged")
      case .otherApplication: throw .corrupt(path: path, "it belongs to another program, or its header is damaged")
      case .field(let name): throw .corrupt(path: path, "its header is damaged (\(name))")
      }
    }
  }

  private static func log(of path: String, pageSize: Int) throws(QueueError) -> WriteAheadLog {
    guard let file = try open(path + "-wal") else { return WriteAheadLog() }
    defer { close(file.descriptor) }
    do throws(SystemError) {
      return try WriteAheadLog(descriptor: file.descriptor, databasePageSize: pageSize)
    } catch {
      throw .unreadable(path + "-wal", error)
    }
  }

  private static func compare(
    _ header: DatabaseHeader, _ log: WriteAheadLog, size: Int, path: String
  ) throws(QueueError) {
    // Before there were numbers, not every transaction was flushed.
    if let stranded = log.stranded, header.commit != nil || log.first != nil {
      // A header that was torn while the log was begun anew is legal: then all of the old log is in the database.
      let isInDatabase = stranded.commit.flatMap { commit in header.commit.map { $0.distance(from: commit) >= 0 } }
      if !log.isHeaderBroken || isInDatabase == false { throw .damagedLog(path: path) }
    }
    guard log.commits > 0 else {
      // While the log has commits, the file may be shorter than its header says: the rest is in the log.
      if size < header.pages * header.pageSize {
        throw .corrupt(path: path, "it was cut off: \(size) bytes of \(header.pages * header.pageSize)")
      }
      return
    }
    guard log.pageSize == header.pageSize else { throw .foreignLog(path: path, "its pages have another size") }
    guard let commit = header.commit, let first = log.first, let last = log.last else { return }
    // The log is begun anew only when all of it is in the database: the database has every commit before its first.
    if first.distance(from: commit) > 1 {
      throw .foreignLog(path: path, "the database is older: \(first.distance(from: commit) - 1) commits are in neither")
    }
    if last.distance(from: commit) < 0 { throw .foreignLog(path: path, "the database is newer") }
  }

  private static func open(_ path: String) throws(QueueError) -> (descriptor: Int32, size: Int)? {
    let descriptor = Glibc.open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else {
      if errno == ENOENT { return nil }
      throw .unreadable(path, SystemError(code: errno))
    }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else {
      let error = SystemError(code: errno)
      close(descriptor)
      throw .unreadable(path, error)
    }
    guard status.st_mode & S_IFMT == S_IFREG else {
      close(descriptor)
      throw .corrupt(path: path, "it is no regular file")
    }
    return (descriptor, Int(status.st_size))
  }
}
