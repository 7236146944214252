package import Glibc

/// Opening, reading, writing and locking files. A call that a signal interrupts is repeated, so nobody sees `EINTR`.
package enum FileIO {
  /// `open(2)`, always with `O_CLOEXEC`. Returns the descriptor, which the caller closes.
  package static func open(_ path: String, _ flags: Int32, mode: mode_t = 0) throws(SystemFault) -> Int32 {
    try Int32(repeating { Int(Glibc.open(path, flags | O_CLOEXEC, mode)) })
  }

  /// `openat(2)`, always with `O_CLOEXEC`: `name` is relative to the open folder.
  package static func open(
    _ name: UnsafePointer<CChar>, in folder: Int32, _ flags: Int32, mode: mode_t = 0
  ) throws(SystemFault) -> Int32 {
    try Int32(repeating { Int(openat(folder, name, flags | O_CLOEXEC, mode)) })
  }

  /// `fsync(2)`: returns once what was written is on the disk.
  package static func sync(_ descriptor: Int32) throws(SystemFault) {
    _ = try repeating { Int(fsync(descriptor)) }
  }

  /// Has the system begin to write a file to the disk, without waiting. Where it does not, `sync` has more to do.
  ///
  /// With several files of one file system, begin with all of them before the first `sync`: then that one commits the file
  /// system's log for all, and the others only flush the disk's cache.
  package static func beginSync(_ descriptor: Int32) {
    // Linux writes out what it is advised to drop (`sync_file_range(2)` says so plainly, but has no declaration in Swift).
    _ = posix_fadvise(descriptor, 0, 0, POSIX_FADV_DONTNEED)
  }

  /// Takes the exclusive `flock(2)` of an open file, without waiting. False when somebody else has it.
  package static func lock(_ descriptor: Int32) throws(SystemFault) -> Bool {
    do throws(SystemFault) {
      _ = try repeating { Int(flock(descriptor, LOCK_EX | LOCK_NB)) }
      return true
    } catch {
      guard error.code == EWOULDBLOCK else { throw error }
      return false
    }
  }

  /// One read: what there is, at least one byte, up to the size of `buffer`. Returns how many bytes; 0 at the end.
  ///
  /// - Parameter offset: Bytes from the beginning of the file. With nil, the descriptor's position, which then advances.
  package static func read(
    _ descriptor: Int32, into buffer: UnsafeMutableRawBufferPointer, at offset: Int? = nil
  ) throws(SystemFault) -> Int {
    try repeating {
      if let offset {
        pread(descriptor, buffer.baseAddress, buffer.count, offset)
      } else {
        Glibc.read(descriptor, buffer.baseAddress, buffer.count)
      }
    }
  }

  /// The next `count` bytes, in as many reads as that takes. Fewer only at the end of the file.
  ///
  /// - Parameter offset: Bytes from the beginning of the file. With nil, the descriptor's position, which then advances.
  package static func read(
    _ descriptor: Int32, upTo count: Int, at offset: Int? = nil
  ) throws(SystemFault) -> [UInt8] {
    // Grows with what is there: `count` is often far more than that.
    var bytes = [UInt8](repeating: 0, count: min(count, 64 * 1024))
    var filled = 0
    while filled < count {
      if filled == bytes.count { bytes += repeatElement(0, count: min(count - filled, filled)) }
      let more = try bytes.withUnsafeMutableBufferPointer { (buffer) throws(SystemFault) -> Int in
        let rest = UnsafeMutableBufferPointer(rebasing: buffer[filled...])
        return try read(descriptor, into: UnsafeMutableRawBufferPointer(rest), at: offset.map { $0 + filled })
      }
      if more == 0 { break }
      filled += more
    }
    bytes.removeLast(bytes.count - filled)
    return bytes
  }

  /// Writes all of `bytes`, in as many writes as that takes. When it throws, some may have been written.
  package static func write(_ bytes: RawSpan, to descriptor: Int32) throws(SystemFault) {
    var written = 0
    while written < bytes.byteCount {
      written += try writeOnce(bytes.extracting(droppingFirst: written), to: descriptor)
    }
  }

  /// One write. Returns how many of the `bytes` were written, at least one unless there are none.
  package static func writeOnce(_ bytes: RawSpan, to descriptor: Int32) throws(SystemFault) -> Int {
    let count = try bytes.withUnsafeBytes { (bytes) throws(SystemFault) -> Int in
      try repeating { Glibc.write(descriptor, bytes.baseAddress, bytes.count) }
    }
    guard count > 0 || bytes.isEmpty else { throw SystemFault(code: EIO) }
    return count
  }

  /// Returns once the names in the folder at `path` are on disk. A name that was just made may otherwise be gone after a
  /// power cut, with everything that it led to, however well that was synced.
  package static func syncFolder(_ path: String) throws(SystemFault) {
    let descriptor = try open(path, O_RDONLY | O_DIRECTORY)
    defer { close(descriptor) }
    try sync(descriptor)
  }

  /// The same for the folder that `path` is in.
  package static func syncFolder(of path: String) throws(SystemFault) {
    let folder = path.split(separator: "/", omittingEmptySubsequences: false).dropLast().joined(separator: "/")
    try syncFolder(!folder.isEmpty ? folder : path.hasPrefix("/") ? "/" : ".")
  }

  /// Makes `call` until a signal no longer interrupts it.
  private static func repeating(_ call: () -> Int) throws(SystemFault) -> Int {
    while true {
      let count = call()
      if count >= 0 { return count }
      let code = errno
      if code != EINTR { throw SystemFault(code: code) }
    }
  }
}
