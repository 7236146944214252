import Glibc
import Registration

/// One open folder of the spool. Its names are used relative to the open folder and never through a symbolic link.
final class Folder: Sendable {
  let path: String
  private let descriptor: Descriptor

  /// Opens the folder at `path`; a symbolic link as its last part is refused.
  init(path: String) throws(SpoolError) {
    do throws(SystemFault) {
      descriptor = Descriptor(owning: try FileIO.open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW))
    } catch {
      throw SpoolError("open the folder \(path)", code: error.code)
    }
    self.path = path
  }

  /// Which folder it is, and when a name in it was last added or removed.
  func status() throws(SpoolError) -> FileStatus {
    try FileStatus(descriptor: descriptor.number, path: path)
  }

  /// The folder's group.
  var group: gid_t? { FileStatus.group(of: descriptor.number) }

  /// Every name in the folder except `.` and `..`, in no order.
  func names() throws(SpoolError) -> [FileName] {
    var names: [FileName] = []
    try forEachEntry { (name, _) in names.append(name) }
    return names
  }

  /// How many regular files have a name for which `isWanted` is true.
  func countOfFiles(where isWanted: (FileName) -> Bool) throws(SpoolError) -> Int {
    var count = 0
    var unknown: [FileName] = []
    try forEachEntry { (name, kind) in
      guard isWanted(name) else { return }
      if kind == DT_REG { count += 1 } else if kind == DT_UNKNOWN { unknown.append(name) }
    }
    // Not every file system returns the kind with the name.
    for name in unknown where try status(of: name)?.kind == .regular { count += 1 }
    return count
  }

  /// - Parameter body: Gets a name and its kind as `readdir(3)` returns it, which may be `DT_UNKNOWN`.
  private func forEachEntry(_ body: (FileName, Int) -> Void) throws(SpoolError) {
    let copy: Int32
    do throws(SystemFault) {
      copy = try FileIO.open(".", in: descriptor.number, O_RDONLY | O_DIRECTORY)
    } catch {
      throw SpoolError("list \(path)", code: error.code)
    }
    guard let stream = fdopendir(copy) else {
      let code = errno
      close(copy)
      throw SpoolError("list \(path)", code: code)
    }
    defer { closedir(stream) }
    while true {
      errno = 0
      guard let entry = readdir(stream) else {
        if errno != 0 { throw SpoolError("list \(path)", code: errno) }
        return
      }
      let name = withUnsafeBytes(of: &entry.pointee.d_name) { FileName(bytes: $0.prefix { $0 != 0 }) }
      if name.bytes != [UInt8(ascii: ".")], name.bytes != Array("..".utf8) { body(name, Int(entry.pointee.d_type)) }
    }
  }

  /// What `name` is, nil when there is no such file.
  func status(of name: FileName) throws(SpoolError) -> FileStatus? {
    var status = stat()
    let result = name.withCString { fstatat(descriptor.number, $0, &status, AT_SYMLINK_NOFOLLOW) }
    if result == 0 { return FileStatus(status) }
    if errno == ENOENT { return nil }
    throw SpoolError("access \(shown(name))", code: errno)
  }

  /// Whether this process may read the file `name`, nil when there is no such file. Opens nothing.
  func mayRead(_ name: FileName) throws(SpoolError) -> Bool? {
    let result = name.withCString { faccessat(descriptor.number, $0, R_OK, AT_EACCESS) }
    if result == 0 { return true }
    switch errno {
    case EACCES: return false
    case ENOENT: return nil
    default: throw SpoolError("access \(shown(name))", code: errno)
    }
  }

  /// Opens `name` with `flags`; `O_NOFOLLOW` and `O_CLOEXEC` are always added.
  func open(_ name: FileName, flags: Int32, mode: mode_t = 0) throws(SpoolError) -> Descriptor {
    let number = name.withCString { name in
      Result { () throws(SystemFault) in try FileIO.open(name, in: descriptor.number, flags | O_NOFOLLOW, mode: mode) }
    }
    do throws(SystemFault) {
      return Descriptor(owning: try number.get())
    } catch {
      throw SpoolError("open \(shown(name))", code: error.code)
    }
  }

  /// Renames `name` to `newName` in `target`, replacing a file of that name.
  func rename(_ name: FileName, to newName: FileName, in target: Folder) throws(SpoolError) {
    let result = name.withCString { old in
      newName.withCString { new in renameat(descriptor.number, old, target.descriptor.number, new) }
    }
    guard result == 0 else { throw SpoolError("move \(shown(name)) to \(target.shown(newName))", code: errno) }
  }

  /// Renames `name` to `newName` in `target`. If that name is taken, returns false.
  func rename(_ name: FileName, toFree newName: FileName, in target: Folder) throws(SpoolError) -> Bool {
    let result = name.withCString { old in
      newName.withCString { new in
        ExclusiveRename.rename(descriptor.number, old, target.descriptor.number, new)
      }
    }
    switch result {
    case 0: return true
    case EEXIST: return false
    default: throw SpoolError("move \(shown(name)) to \(target.shown(newName))", code: result)
    }
  }

  /// Removes the file `name`. It is not an error if there is none.
  func remove(_ name: FileName) throws(SpoolError) {
    let result = name.withCString { unlinkat(descriptor.number, $0, 0) }
    guard result == 0 || errno == ENOENT else { throw SpoolError("remove \(shown(name))", code: errno) }
  }

  /// Microseconds between two attempts to get the lock.
  private static let attemptInterval: UInt32 = 1_000

  /// Runs `body` with the lock on names in this folder, so that checking that a name is free and taking it are one step.
  /// If the lock cannot be had within `seconds`, or the file system has no locks, `body` runs without it.
  func whileNaming<Value, Failure: Error>(
    waitingAtMost seconds: Double, _ body: () throws(Failure) -> Value
  ) throws(Failure) -> Value {
    var attempts = Int(seconds * 1_000_000) / Int(Self.attemptInterval)
    while attempts > 0, let isLocked = try? FileIO.lock(descriptor.number), !isLocked {
      usleep(Self.attemptInterval)
      attempts -= 1
    }
    // Without the lock this does nothing.
    defer { flock(descriptor.number, LOCK_UN) }
    return try body()
  }

  /// Returns once the names in the folder are on disk.
  func sync() throws(SpoolError) {
    do throws(SystemFault) {
      try FileIO.sync(descriptor.number)
    } catch {
      throw SpoolError("write \(path) to the disk", code: error.code)
    }
  }

  /// The path of `name` for messages.
  func shown(_ name: FileName) -> String { "\(path)/\(name)" }
}
