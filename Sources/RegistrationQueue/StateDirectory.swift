import Glibc
import Registration

/// The folder of the queue, and the lock that makes one process its owner for life.
///
/// The lock is `flock(2)` on a file in the folder. The kernel releases it when the process ends, however that happens,
/// so there is no stale lock to clean up. The file contains the owner's process id, for messages.
package final class StateDirectory: Sendable {
  package let path: String
  private let descriptor: Int32

  /// Throws `StateDirectoryError`: `owned` when another process has it, `inaccessible` when the folder cannot be
  /// created or written.
  package init(path: String) throws(StateDirectoryError) {
    self.path = path
    try Self.makeFolder(path)
    do throws(SystemFault) {
      descriptor = try FileIO.open(path + "/lock", O_RDWR | O_CREAT | O_NOFOLLOW, mode: 0o600)
    } catch {
      throw .inaccessible(path: path + "/lock", errno: error.code)
    }
    let isOurs: Bool
    do throws(SystemFault) {
      isOurs = try FileIO.lock(descriptor)
    } catch {
      throw .inaccessible(path: path + "/lock", errno: error.code)
    }
    guard isOurs else { throw .owned(path: path, owner: Self.owner(descriptor)) }
    Self.giveToOwner(of: path, descriptor)
    let text = "\(getpid())\n"
    // The process id is only a courtesy; the lock works without it (on a full disk, for example).
    _ = ftruncate(descriptor, 0)
    try? FileIO.write(text.utf8.span.bytes, to: descriptor)
  }

  deinit {
    Glibc.close(descriptor)
  }

  /// What root restores is for the daemon, which needs the lock as well.
  private static func giveToOwner(of folder: String, _ descriptor: Int32) {
    var status = stat()
    guard geteuid() == 0, stat(folder, &status) == 0 else { return }
    // If this fails, the daemon says that it cannot use the lock.
    _ = fchown(descriptor, status.st_uid, status.st_gid)
  }

  /// A new folder is on disk when this returns: a queue would be lost with the folder that it lies in.
  private static func makeFolder(_ path: String) throws(StateDirectoryError) {
    guard mkdir(path, 0o700) == 0 else {
      guard errno == EEXIST else { throw .inaccessible(path: path, errno: errno) }
      return
    }
    do throws(SystemFault) {
      try FileIO.syncFolder(of: path)
    } catch {
      throw .inaccessible(path: path, errno: error.code)
    }
  }

  package var queuePath: String { path + "/queue.sqlite" }

  private static func owner(_ descriptor: Int32) -> Int32? {
    guard let text = try? FileIO.read(descriptor, upTo: 16, at: 0) else { return nil }
    return Int32(String(decoding: text.prefix { $0 != 0x0a }, as: UTF8.self))
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
