import Glibc
import Synchronization

/// The place of the control socket in the file system.
///
/// The socket is created in a folder that nobody else can enter, gets its permissions there, and is then renamed into
/// place. So it never has other permissions than the configured ones, and a client finds either the old socket or one
/// that listens. The surrounding folder is locked meanwhile, so that of two daemons that start at once one notices the
/// other.
final class SocketPlace: Sendable {
  /// `sockaddr_un.sun_path` has 108 bytes, the last for NUL (unix(7)).
  static let longestPath = 107

  let path: String
  private let mode: mode_t
  /// A folder whose `flock(2)` this process holds for another reason.
  private let lockedFolder: String?
  private let folder: String
  private let name: String
  /// The socket that was put in place: device and inode.
  private let placed = Mutex<FileIdentity?>(nil)

  private struct FileIdentity: Equatable, Sendable {
    var device: dev_t
    var inode: ino_t
  }

  /// Throws `ControlServerError` for a path that cannot name a socket.
  init(path: String, mode: mode_t, lockedFolder: String? = nil) throws {
    guard path.utf8.count <= Self.longestPath else {
      throw ControlServerError(
        "the control socket's path has \(path.utf8.count) bytes: \(path)",
        hint: "the system allows \(Self.longestPath) at most; choose a shorter path")
    }
    let parts = path.split(separator: "/", omittingEmptySubsequences: false)
    guard let name = parts.last, !name.isEmpty, !path.utf8.contains(0), name != ".", name != ".." else {
      throw ControlServerError("“\(path)” cannot be the path of a socket")
    }
    self.path = path
    self.mode = mode
    self.lockedFolder = lockedFolder
    self.name = String(name)
    let parent = parts.dropLast().joined(separator: "/")
    folder = parts.count == 1 ? "." : parent.isEmpty ? "/" : parent
  }

  /// Has `bind` bind and listen at a path of this type's choice, then moves that socket into place.
  ///
  /// Throws `ControlServerError` when another process listens there, when there is something other than a socket, or
  /// when the folder cannot be written; also throws the errors of `bind`.
  func occupy(_ bind: (_ path: String) throws -> Void) throws {
    let around = try lockedFolder(patience: 10)
    defer { close(around) }
    try refuseUnlessFree(around)

    var template = Array("\(folder)/.keyreg-XXXXXX".utf8CString)
    guard mkdtemp(&template) != nil else { throw systemError("cannot create a folder in \(folder)") }
    defer { rmdir(template) }
    let staging = open(template, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard staging >= 0 else { throw systemError("cannot open a folder in \(folder)") }
    defer { close(staging) }

    // Through the descriptor the path is short, however long the real one is. When the socket is closed, the server
    // library removes whatever is at that path. By then the descriptor's number may lead to another folder, so the name
    // must be unique.
    let stagedName = String(UInt64.random(in: .max / 16 ... .max), radix: 16)
    try bind("/proc/self/fd/\(staging)/\(stagedName)")
    var status = stat()
    guard fchmodat(staging, stagedName, mode, 0) == 0,
      fstatat(staging, stagedName, &status, AT_SYMLINK_NOFOLLOW) == 0,
      renameat(staging, stagedName, around, name) == 0
    else {
      let error = systemError("cannot create the control socket at \(path)")
      unlinkat(staging, stagedName, 0)
      throw error
    }
    placed.withLock { $0 = FileIdentity(device: status.st_dev, inode: status.st_ino) }
  }

  /// The socket that was put in place is no longer there. Something else may be.
  var isLost: Bool {
    guard let placed = placed.withLock({ $0 }) else { return false }
    var status = stat()
    guard lstat(path, &status) == 0 else { return errno == ENOENT }
    return placed != FileIdentity(device: status.st_dev, inode: status.st_ino)
  }

  /// Removes the socket, unless another one has replaced it.
  func vacate() throws {
    guard let placed = placed.withLock({ $0.take() }) else { return }
    let around = try lockedFolder(patience: 1)
    defer { close(around) }
    guard try identity(around)?.file == placed else { return }
    if unlinkat(around, name, 0) != 0 { throw systemError("cannot remove the control socket \(path)") }
  }

  /// Opens and locks the folder. It stays locked until the descriptor is closed.
  /// - Parameter patience: Seconds. Others hold the lock for milliseconds; a longer hold must not delay us.
  private func lockedFolder(patience: Int) throws -> Int32 {
    let descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0 else { throw systemError("cannot open \(folder), the folder of the control socket") }
    if isLocked(descriptor) { return descriptor }
    for _ in 0..<(patience * 100) {
      if flock(descriptor, LOCK_EX | LOCK_NB) == 0 { return descriptor }
      guard errno == EWOULDBLOCK || errno == EINTR else { break }
      usleep(10_000)
    }
    let error = systemError("cannot lock \(folder), the folder of the control socket")
    close(descriptor)
    throw error
  }

  private func isLocked(_ around: Int32) -> Bool {
    var (here, locked) = (stat(), stat())
    guard let lockedFolder, fstat(around, &here) == 0, stat(lockedFolder, &locked) == 0 else { return false }
    return here.st_dev == locked.st_dev && here.st_ino == locked.st_ino
  }

  private func refuseUnlessFree(_ around: Int32) throws {
    guard let (_, type) = try identity(around) else { return }
    guard type == S_IFSOCK else {
      throw ControlServerError(
        "\(path) exists and is not a socket", hint: "remove it, or choose another path for the control socket")
    }
    if try isAlive() {
      throw ControlServerError(
        "another process listens on \(path)", hint: "stop it, or choose another path for the control socket",
        isInUse: true)
    }
  }

  private func identity(_ around: Int32) throws -> (file: FileIdentity, type: mode_t)? {
    var status = stat()
    guard fstatat(around, name, &status, AT_SYMLINK_NOFOLLOW) == 0 else {
      if errno == ENOENT { return nil }
      throw systemError("cannot access \(path)")
    }
    return (FileIdentity(device: status.st_dev, inode: status.st_ino), status.st_mode & S_IFMT)
  }

  /// Tests by connecting: only a socket that nothing listens on refuses.
  private func isAlive() throws -> Bool {
    let probe = socket(
      AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    guard probe >= 0 else { throw systemError("cannot create a socket") }
    defer { close(probe) }
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
    let result = withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        connect(probe, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
      }
    }
    return result == 0 || errno != ECONNREFUSED && errno != ENOENT
  }

  private func systemError(_ message: String) -> ControlServerError {
    let code = errno
    let isDenied = [EACCES, EPERM].contains(code)
    return ControlServerError(
      "\(message): \(String(cString: strerror(code)))",
      hint: isDenied ? "the daemon's user must be able to create files in \(folder)" : nil, isDenied: isDenied)
  }
}
