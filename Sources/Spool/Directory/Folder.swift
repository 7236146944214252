import Glibc

/// One open folder of the spool. Names in it are used relative to the open folder and never through a symbolic link.
final class Folder: Sendable {
  let path: String
  private let descriptor: Descriptor

  /// Opens the folder at `path`; a symbolic link in the last place is refused.
  init(path: String) throws(SpoolError) {
    let number = Glibc.open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
    guard number >= 0 else { throw SpoolError("open the folder \(path)", code: errno) }
    self.path = path
    descriptor = Descriptor(owning: number)
  }

  /// Which folder it is, and when a name in it last came or went.
  func status() throws(SpoolError) -> FileStatus {
    try FileStatus(descriptor: descriptor.number, path: path)
  }

  /// The group that the folder belongs to.
  var group: gid_t? { FileStatus.group(of: descriptor.number) }

  /// Every name in the folder but `.` and `..`, in no order.
  func names() throws(SpoolError) -> [FileName] {
    var names: [FileName] = []
    try forEachEntry { (name, _) in names.append(name) }
    return names
  }

  /// How many regular files have a name that `isWanted`.
  func countOfFiles(where isWanted: (FileName) -> Bool) throws(SpoolError) -> Int {
    var count = 0
    var unknown: [FileName] = []
    try forEachEntry { (name, kind) in
      guard isWanted(name) else { return }
      if kind == DT_REG { count += 1 } else if kind == DT_UNKNOWN { unknown.append(name) }
    }
    // Not every file system tells the kind with the name.
    for name in unknown where try status(of: name)?.kind == .regular { count += 1 }
    return count
  }

  /// - Parameter body: Takes a name and its kind as `readdir(3)` gives it, which may be `DT_UNKNOWN`.
  private func forEachEntry(_ body: (FileName, Int) -> Void) throws(SpoolError) {
    let copy = openat(descriptor.number, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard copy >= 0 else { throw SpoolError("list \(path)", code: errno) }
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

  /// What `name` is, nil when there is nothing of that name.
  func status(of name: FileName) throws(SpoolError) -> FileStatus? {
    var status = stat()
    let result = name.withCString { fstatat(descriptor.number, $0, &status, AT_SYMLINK_NOFOLLOW) }
    if result == 0 { return FileStatus(status) }
    if errno == ENOENT { return nil }
    throw SpoolError("look at \(shown(name))", code: errno)
  }

  /// Whether this process may read the file `name`, nil when there is nothing of that name. Opens nothing.
  func mayRead(_ name: FileName) throws(SpoolError) -> Bool? {
    let result = name.withCString { faccessat(descriptor.number, $0, R_OK, AT_EACCESS) }
    if result == 0 { return true }
    switch errno {
    case EACCES: return false
    case ENOENT: return nil
    default: throw SpoolError("look at \(shown(name))", code: errno)
    }
  }

  /// Opens `name` with `flags`; `O_NOFOLLOW` and `O_CLOEXEC` are always added.
  func open(_ name: FileName, flags: Int32, mode: mode_t = 0) throws(SpoolError) -> Descriptor {
    let number = name.withCString { openat(descriptor.number, $0, flags | O_NOFOLLOW | O_CLOEXEC, mode) }
    guard number >= 0 else { throw SpoolError("open \(shown(name))", code: errno) }
    return Descriptor(owning: number)
  }

  /// Renames `name` to `newName` in `target`, replacing what has that name there.
  func rename(_ name: FileName, to newName: FileName, in target: Folder) throws(SpoolError) {
    let result = name.withCString { old in
      newName.withCString { new in renameat(descriptor.number, old, target.descriptor.number, new) }
    }
    guard result == 0 else { throw SpoolError("move \(shown(name)) to \(target.shown(newName))", code: errno) }
  }

  /// Renames `name` to `newName` in `target` unless something has that name there: false then.
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

  /// Removes the file `name`. Nothing of that name is no error.
  func remove(_ name: FileName) throws(SpoolError) {
    let result = name.withCString { unlinkat(descriptor.number, $0, 0) }
    guard result == 0 || errno == ENOENT else { throw SpoolError("remove \(shown(name))", code: errno) }
  }

  /// Returns once the names in the folder are on the disk.
  func sync() throws(SpoolError) {
    guard fsync(descriptor.number) == 0 else { throw SpoolError("write \(path) to the disk", code: errno) }
  }

  /// The path of `name` for messages.
  func shown(_ name: FileName) -> String { "\(path)/\(name)" }
}
