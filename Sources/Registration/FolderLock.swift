package import Glibc

/// One process's claim to a folder, for as long as it lives: `flock(2)` on a file in the folder and on the folder itself.
///
/// The kernel releases both when the process ends, however that happens, so there is no stale lock to clean up. The file
/// contains the owner's process id, for messages; somebody may take it for a leftover and remove it, and then the folder's
/// own lock still keeps others out.
package final class FolderLock: Sendable {
  package enum Refusal: Error, Sendable, Hashable {
    /// Another process has it.
    case owned(by: Int32?)
    case system(SystemFault)
  }

  private let file: Int32
  /// -1 where the file system does not lock folders (some network file systems).
  private let folder: Int32

  /// - Parameters:
  ///   - file: The path of the file, which is created if it is missing.
  ///   - folder: The path of the folder.
  ///   - mode: Of a new file.
  package init(file path: String, folder folderPath: String, mode: mode_t) throws(Refusal) {
    let file: Int32
    do throws(SystemFault) {
      file = try FileIO.open(path, O_RDWR | O_CREAT | O_NOFOLLOW, mode: mode)
    } catch {
      throw .system(error)
    }
    do throws(SystemFault) {
      guard try FileIO.lock(file) else { throw SystemFault(code: EWOULDBLOCK) }
      folder = try Self.locked(folderPath)
    } catch {
      let owner = Self.owner(file)
      close(file)
      throw error.code == EWOULDBLOCK ? .owned(by: owner) : .system(error)
    }
    self.file = file
    let text = "\(getpid())\n"
    // The process id is only a courtesy; the lock works without it (on a full disk, for example).
    _ = ftruncate(file, 0)
    try? FileIO.write(text.utf8.span.bytes, to: file)
  }

  deinit {
    close(file)
    if folder >= 0 { close(folder) }
  }

  /// Throws `EWOULDBLOCK` when another process has it.
  private static func locked(_ path: String) throws(SystemFault) -> Int32 {
    let descriptor = try FileIO.open(path, O_RDONLY | O_DIRECTORY)
    do throws(SystemFault) {
      if try FileIO.lock(descriptor) { return descriptor }
    } catch {
      close(descriptor)
      return -1
    }
    close(descriptor)
    throw SystemFault(code: EWOULDBLOCK)
  }

  private static func owner(_ file: Int32) -> Int32? {
    guard let text = try? FileIO.read(file, upTo: 16, at: 0) else { return nil }
    return Int32(String(decoding: text.prefix { $0 != 0x0a }, as: UTF8.self))
  }

  /// Makes the file the folder's owner's. Without effect if that fails.
  package func give(to owner: uid_t, _ group: gid_t) { _ = fchown(file, owner, group) }

  /// Whether the file at `path` is the locked one.
  package func isAt(_ path: String) -> Bool { Self.isSame(file, path) }

  /// Whether the folder at `path` is the locked one.
  package func isFolder(at path: String) -> Bool { folder >= 0 && Self.isSame(folder, path) }

  private static func isSame(_ descriptor: Int32, _ path: String) -> Bool {
    var (here, ours) = (stat(), stat())
    guard fstat(descriptor, &ours) == 0, lstat(path, &here) == 0 else { return false }
    return here.st_dev == ours.st_dev && here.st_ino == ours.st_ino
  }
}
