import Glibc
import Registration

/// The lock that lets only one daemon serve a spool, as `StateDirectory` does for the queue: two daemons with different
/// state directories would take each other's lists.
///
/// It is `flock(2)` on a file in the spool: the kernel releases it when the process ends, however that happens. The
/// file contains the owner's process id, for messages.
package final class SpoolLock: Sendable {
  package struct Refusal: Error, Sendable, CustomStringConvertible {
    package let description: String
    package let hint: String
    /// Another daemon has it. Otherwise the system refused, with `code`.
    package let isOwned: Bool
    package let code: Int32
  }

  private static let fileName = ".keyreg-lock"

  /// Nil if the spool cannot be written: on a disk that is full or read-only, no list can be taken twice.
  private let descriptor: Int32?

  package init(spool: String) throws(Refusal) {
    let path = "\(spool)/\(Self.fileName)"
    let descriptor: Int32
    do throws(SystemFault) {
      descriptor = try FileIO.open(path, O_RDWR | O_CREAT | O_NOFOLLOW, mode: 0o640)
    } catch {
      guard [EROFS, ENOSPC, EDQUOT].contains(error.code) else { throw Self.failure(path, error.code) }
      self.descriptor = nil
      return
    }
    self.descriptor = descriptor
    let isOurs: Bool
    do throws(SystemFault) {
      isOurs = try FileIO.lock(descriptor)
    } catch {
      throw Self.failure(path, error.code)
    }
    guard isOurs else {
      let owner = Self.owner(descriptor).map { " (pid \($0))" } ?? ""
      throw Refusal(
        description: "another daemon serves the spool \(spool)\(owner)",
        hint: "stop it first, or give this one a spool.directory of its own", isOwned: true, code: 0)
    }
    let text = "\(getpid())\n"
    // The process id is only a courtesy; the lock works without it.
    _ = ftruncate(descriptor, 0)
    try? FileIO.write(text.utf8.span.bytes, to: descriptor)
  }

  /// True when the lock of the spool at this path is this one, and not that of another file system or a recreated
  /// folder.
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
    guard let text = try? FileIO.read(descriptor, upTo: 16, at: 0) else { return nil }
    return Int32(String(decoding: text.prefix { $0 != 0x0a }, as: UTF8.self))
  }
}
