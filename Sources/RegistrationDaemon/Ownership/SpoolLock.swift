import Glibc

/// The lock that makes one daemon the only one to serve a spool, as `StateDirectory` does for the queue: two daemons with
/// a state directory each would take each other's lists.
///
/// It is `flock(2)` on a file in the spool: the kernel drops it with the process, however that ends. The file's text is
/// the owner's process id, for whoever comes second.
package final class SpoolLock: Sendable {
  package struct Refusal: Error, Sendable, CustomStringConvertible {
    package let description: String
    package let hint: String
    /// Another daemon has it. Otherwise the system refused, with `code`.
    package let isOwned: Bool
    package let code: Int32
  }

  private static let fileName = ".keyreg-lock"

  /// Nil where nobody can write: on a disk that is full or read-only there is no list to be taken twice.
  private let descriptor: Int32?

  package init(spool: String) throws(Refusal) {
    let path = "\(spool)/\(Self.fileName)"
    let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o640)
    guard descriptor >= 0 else {
      if [EROFS, ENOSPC, EDQUOT].contains(errno) {
        self.descriptor = nil
        return
      }
      throw Self.failure(path, errno)
    }
    guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
      let code = errno
      defer { close(descriptor) }
      guard code == EWOULDBLOCK else { throw Self.failure(path, code) }
      let owner = Self.owner(descriptor).map { " (pid \($0))" } ?? ""
      throw Refusal(
        description: "another daemon serves the spool \(spool)\(owner)",
        hint: "stop it first, or give this one a spool.directory of its own", isOwned: true, code: 0)
    }
    self.descriptor = descriptor
    let text = "\(getpid())\n"
    // The number is a courtesy for the next comer; the lock holds without it.
    _ = ftruncate(descriptor, 0)
    _ = text.withCString { pwrite(descriptor, $0, text.utf8.count, 0) }
  }

  /// True when the lock of the spool at this path is this one, and not that of another file system or a folder made anew.
  func isIn(_ spool: String) -> Bool {
    var (here, ours) = (stat(), stat())
    guard let descriptor, fstat(descriptor, &ours) == 0, lstat("\(spool)/\(Self.fileName)", &here) == 0 else {
      return false
    }
    return here.st_dev == ours.st_dev && here.st_ino == ours.st_ino
  }

  deinit {
    if let descriptor { close(descriptor) }
  }

  private static func failure(_ path: String, _ code: Int32) -> Refusal {
    Refusal(
      description: "cannot lock the spool with \(path): \(String(cString: strerror(code)))",
      hint: "the spool must belong to the daemon's user", isOwned: false, code: code)
  }

  private static func owner(_ descriptor: Int32) -> Int32? {
    var buffer = [UInt8](repeating: 0, count: 16)
    let count = pread(descriptor, &buffer, buffer.count, 0)
    guard count > 0 else { return nil }
    return Int32(String(decoding: buffer.prefix(count).prefix { $0 != 0x0a }, as: UTF8.self))
  }
}
