import Glibc
import Registration
package import Spool

/// The lock that lets only one daemon serve a spool, as `StateDirectory` does for the queue: two daemons with different
/// state directories would take each other's lists.
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
  private let lock: FolderLock?

  package init(spool: SpoolDirectory) throws(Refusal) {
    let path = "\(spool.path)/\(Self.fileName)"
    do throws(FolderLock.Refusal) {
      // Lists are claimed in that folder.
      lock = try FolderLock(file: path, folder: spool.path(of: .reading), mode: 0o640)
    } catch {
      switch error {
      case .owned(let owner):
        throw Refusal(
          description: "another daemon serves the spool \(spool.path)" + (owner.map { " (pid \($0))" } ?? ""),
          hint: "stop it first, or give this one a spool.directory of its own", isOwned: true, code: 0)
      case .system(let fault) where [EROFS, ENOSPC, EDQUOT].contains(fault.code): lock = nil
      case .system(let fault): throw Self.failure(path, fault.code)
      }
    }
  }

  /// True when the lock of the spool at this path is this one, and not that of another file system or a recreated
  /// folder.
  func isIn(_ spool: String) -> Bool { lock?.isAt("\(spool)/\(Self.fileName)") ?? false }

  /// Whether no other daemon can take the spool: the lock is in it, or the folder in which lists are claimed is locked.
  func protects(_ spool: SpoolDirectory) -> Bool {
    isIn(spool.path) || lock?.isFolder(at: spool.path(of: .reading)) ?? false
  }

  private static func failure(_ path: String, _ code: Int32) -> Refusal {
    Refusal(
      description: "cannot lock the spool with \(path): \(String(cString: strerror(code)))",
      hint: "the spool must belong to the daemon's user", isOwned: false, code: code)
  }
}
