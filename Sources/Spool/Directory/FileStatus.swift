import Glibc

/// What the system says of a file, without following a symbolic link.
package struct FileStatus: Hashable, Sendable {
  package enum Kind: String, Hashable, Sendable {
    case regular = "regular file"
    case folder
    case symbolicLink = "symbolic link"
    case fifo = "FIFO"
    case socket
    case device
  }

  /// Which file it is, whatever its name: unique while the file exists.
  package struct Identity: Hashable, Sendable {
    package var device: UInt64
    package var inode: UInt64

    package init(device: UInt64, inode: UInt64) {
      self.device = device
      self.inode = inode
    }
  }

  package var kind: Kind
  package var identity: Identity
  /// Bytes.
  package var size: Int64
  /// When content or owner or name changed last, in nanoseconds since 1970. Unlike the time of modification it cannot be
  /// set by whoever owns the file.
  package var changed: Int64

  package init(kind: Kind, identity: Identity, size: Int64, changed: Int64) {
    self.kind = kind
    self.identity = identity
    self.size = size
    self.changed = changed
  }

  init(_ status: stat) {
    let kind: Kind =
      switch status.st_mode & S_IFMT {
      case S_IFREG: .regular
      case S_IFDIR: .folder
      case S_IFLNK: .symbolicLink
      case S_IFIFO: .fifo
      case S_IFSOCK: .socket
      default: .device
      }
    self.init(
      kind: kind, identity: Identity(device: UInt64(status.st_dev), inode: UInt64(status.st_ino)),
      size: Int64(status.st_size),
      changed: Int64(status.st_ctim.tv_sec) * 1_000_000_000 + Int64(status.st_ctim.tv_nsec))
  }

  /// What `descriptor` is open on.
  init(descriptor: Int32, path: String) throws(SpoolError) {
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { throw SpoolError("look at \(path)", code: errno) }
    self.init(status)
  }
}
