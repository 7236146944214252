import Glibc
import Registration

/// The folder of the queue, and the lock that makes one process its owner for life.
package final class StateDirectory: Sendable {
  package let path: String
  private let lock: FolderLock

  /// Throws `StateDirectoryError`: `owned` when another process has it, `inaccessible` when the folder cannot be
  /// created or written.
  package init(path: String) throws(StateDirectoryError) {
    self.path = path
    try Self.makeFolder(path)
    do throws(FolderLock.Refusal) {
      lock = try FolderLock(file: path + "/lock", folder: path, mode: 0o600)
    } catch {
      switch error {
      case .owned(let owner): throw .owned(path: path, owner: owner)
      case .system(let fault): throw .inaccessible(path: path + "/lock", errno: fault.code)
      }
    }
    giveLockToOwner()
  }

  /// What root restores is for the daemon, which needs the lock as well.
  private func giveLockToOwner() {
    var status = stat()
    guard geteuid() == 0, stat(path, &status) == 0 else { return }
    // If this fails, the daemon says that it cannot use the lock.
    lock.give(to: status.st_uid, status.st_gid)
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
