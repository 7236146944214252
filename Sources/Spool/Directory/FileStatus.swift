import Glibc
package import Registration

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
  /// When the content changed last, in nanoseconds since 1970. Renaming leaves it as it is.
  package var modified: Int64

  /// - Parameter modified: `changed` when not given.
  package init(kind: Kind, identity: Identity, size: Int64, changed: Int64, modified: Int64? = nil) {
    self.kind = kind
    self.identity = identity
    self.size = size
    self.changed = changed
    self.modified = modified ?? changed
  }

  /// True when both say the same of the content: neither size nor time of modification differ.
  package func hasSameContent(as other: FileStatus) -> Bool {
    identity == other.identity && size == other.size && modified == other.modified
  }

  /// When content, owner or name changed last.
  package var changedAt: Timestamp { Timestamp(milliseconds: changed / 1_000_000) }

  /// How long ago the content changed. One from the future (the clock was set back) has no age. `wall` is the wall clock in
  /// nanoseconds since 1970.
  func age(wall: Int64) -> Duration {
    let (age, overflows) = wall.subtractingReportingOverflow(modified)
    return overflows || age < 0 ? .zero : .nanoseconds(age)
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
      changed: Self.nanoseconds(status.st_ctim), modified: Self.nanoseconds(status.st_mtim))
  }

  /// Saturates: a file system may hold any time.
  private static func nanoseconds(_ time: timespec) -> Int64 {
    let (seconds, overflows) = Int64(time.tv_sec).multipliedReportingOverflow(by: 1_000_000_000)
    if overflows { return time.tv_sec < 0 ? .min : .max }
    let (sum, tooLarge) = seconds.addingReportingOverflow(Int64(time.tv_nsec))
    return tooLarge ? .max : sum
  }

  /// The group that what `descriptor` is open on belongs to, nil when the system does not tell.
  static func group(of descriptor: Int32) -> gid_t? {
    var status = stat()
    return fstat(descriptor, &status) == 0 ? status.st_gid : nil
  }

  /// What `descriptor` is open on.
  init(descriptor: Int32, path: String) throws(SpoolError) {
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { throw SpoolError("look at \(path)", code: errno) }
    self.init(status)
  }
}
