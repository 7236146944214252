import Glibc

/// A rename that never replaces another file.
///
/// `renameat2` does it in one step, and a watcher sees that the file was moved in. The C library hides its declaration
/// from Swift, so it is looked up by name. If it is missing, or the file system does not support it, a second link is
/// made and the first one removed, in two steps.
enum ExclusiveRename {
  private typealias Function =
    @convention(c) (Int32, UnsafePointer<CChar>, Int32, UnsafePointer<CChar>, UInt32) -> Int32

  /// `int renameat2(int, const char *, int, const char *, unsigned int)`, glibc 2.28.
  private static let renameat2: Function? = dlsym(nil, "renameat2").map { unsafeBitCast($0, to: Function.self) }

  /// `RENAME_NOREPLACE` of linux/fs.h.
  private static let noReplace: UInt32 = 1

  /// Returns 0, or the `errno` value: `EEXIST` when `newName` is taken.
  static func rename(
    _ folder: Int32, _ name: UnsafePointer<CChar>, _ newFolder: Int32, _ newName: UnsafePointer<CChar>
  ) -> Int32 {
    if let renameat2 {
      if renameat2(folder, name, newFolder, newName, noReplace) == 0 { return 0 }
      if errno != EINVAL, errno != ENOSYS { return errno }
    }
    guard linkat(folder, name, newFolder, newName, 0) == 0 else { return errno }
    return unlinkat(folder, name, 0) == 0 ? 0 : errno
  }
}
