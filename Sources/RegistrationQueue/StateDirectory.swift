import Glibc

/// The folder that holds the queue, and the lock that makes one process its owner for life.
///
/// The lock is `flock(2)` on a file in the folder: the kernel drops it with the process, however that ends, so there is
/// no stale lock to clean up. The file's text is the owner's process id, for whoever finds the door shut.
package final class StateDirectory: Sendable {
  package let path: String
  private let descriptor: Int32

  /// Throws `StateDirectoryError`: `owned` when another process has it, `inaccessible` when the folder cannot be made or
  /// written.
  package init(path: String) throws(StateDirectoryError) {
    self.path = path
    if mkdir(path, 0o700) != 0, errno != EEXIST { throw .inaccessible(path: path, errno: errno) }
    let descriptor = open(path + "/lock", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
    guard descriptor >= 0 else { throw .inaccessible(path: path + "/lock", errno: errno) }
    guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
      let reason = errno
      defer { Glibc.close(descriptor) }
      throw reason == EWOULDBLOCK
        ? .owned(path: path, owner: Self.owner(descriptor)) : .inaccessible(path: path + "/lock", errno: reason)
    }
    self.descriptor = descriptor
    let text = "\(getpid())\n"
    // The number is a courtesy for the next comer; the lock holds without it (on a full disk, say).
    _ = ftruncate(descriptor, 0)
    _ = text.withCString { pwrite(descriptor, $0, text.utf8.count, 0) }
  }

  deinit {
    Glibc.close(descriptor)
  }

  package var queuePath: String { path + "/queue.sqlite" }

  private static func owner(_ descriptor: Int32) -> Int32? {
    var buffer = [UInt8](repeating: 0, count: 16)
    let count = pread(descriptor, &buffer, buffer.count, 0)
    guard count > 0 else { return nil }
    return Int32(String(decoding: buffer.prefix(count).prefix { $0 != 0x0a }, as: UTF8.self))
  }
}

package enum StateDirectoryError: Error, Sendable, CustomStringConvertible {
  case owned(path: String, owner: Int32?)
  case inaccessible(path: String, errno: Int32)

  package var description: String {
    switch self {
    case .owned(let path, let owner):
      "another daemon owns \(path)" + (owner.map { " (pid \($0))" } ?? "")
    case .inaccessible(let path, let errno):
      "cannot use \(path): \(String(cString: strerror(errno)))"
    }
  }

  package var hint: String {
    switch self {
    case .owned: "stop it first, or give this one a state_directory of its own"
    case .inaccessible: "the state directory must exist and belong to the daemon's user"
    }
  }
}
