import Glibc
import Registration

/// The files of an open queue, as they are in the file system.
///
/// A file that was removed stays usable for the process that has it open: it would go on recording outcomes that are lost
/// when it ends.
struct QueuePlace: Sendable {
  private struct Identity: Hashable, Sendable {
    var device: dev_t
    var number: ino_t

    init(of path: String) throws(SystemFault) {
      var status = stat()
      guard lstat(path, &status) == 0 else { throw SystemFault(code: errno) }
      (device, number) = (status.st_dev, status.st_ino)
    }
  }

  private let files: [(path: String, identity: Identity)]

  /// - Parameter path: Of a queue that is open. Its log exists from now on until it is closed.
  init(of path: String) throws(QueueError) {
    var files: [(String, Identity)] = []
    for path in [path, path + "-wal"] {
      do throws(SystemFault) {
        files.append((path, try Identity(of: path)))
      } catch {
        throw .unreadable(path, error)
      }
    }
    self.files = files
  }

  /// Throws `disk` when a file is no longer there, or is another one.
  func require() throws(QueueError) {
    for file in files {
      do throws(SystemFault) {
        if try Identity(of: file.path) == file.identity { continue }
      } catch {
        if error.code != ENOENT && error.code != ENOTDIR { throw .unreadable(file.path, error) }
      }
      throw QueueError(
        kind: .disk, description: "\(file.path) was removed or replaced while it was in use",
        hint: """
          put the file back if it was moved; otherwise stop the daemon, restore a backup (keyreg restore FILE), and start it: \
          outcomes since then are lost
          """)
    }
  }
}
