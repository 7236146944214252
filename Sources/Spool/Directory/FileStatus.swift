import Glibc
package import Registration

/// What the system says about a file, without following a symbolic link.
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
  /// When content, owner or name last changed, in nanoseconds since 1970. Unlike the modification time, the file's
  /// owner cannot set it.
  package var changed: Int64
  /// When the content last changed, in nanoseconds since 1970. Renaming does not change it.
  package var modified: Int64
  /// The names that the file has.
  package var links: Int

  /// - Parameter modified: By default `changed`.
  package init(kind: Kind, identity: Identity, size: Int64, changed: Int64, modified: Int64? = nil, links: Int = 1) {
    self.kind = kind
    self.identity = identity
    self.size = size
    self.changed = changed
    self.modified = modified ?? changed
    self.links = links
  }

  /// True when size and modification time are the same.
  package func hasSameContent(as other: FileStatus) -> Bool {
    identity == other.identity && size == other.size && modified == other.modified
  }

  /// When content, owner or name last changed.
  package var changedAt: Timestamp { Timestamp(milliseconds: changed / 1_000_000) }

  /// How long ago the content changed. A time in the future (the clock was set back) has no age. `wall` is the wall
  /// clock in nanoseconds since 1970.
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
      changed: Self.nanoseconds(status.st_ctim), modified: Self.nanoseconds(status.st_mtim),
      links: Int(status.st_nlink))
  }

  /// Saturates: a file system may contain any time.
  private static func nanoseconds(_ time: timespec) -> Int64 {
    let (seconds, overflows) = Int64(time.tv_sec).multipliedReportingOverflow(by: 1_000_000_000)
    if overflows { return time.tv_sec < 0 ? .min : .max }
    let (sum, tooLarge) = seconds.addingReportingOverflow(Int64(time.tv_nsec))
    return tooLarge ? .max : sum
  }

  /// The group of the file that `descriptor` is open on, nil when the system does not say.
  static func group(of descriptor: Int32) -> gid_t? {
    var status = stat()
    return fstat(descriptor, &status) == 0 ? status.st_gid : nil
  }

  /// The file at `path`. It is not opened, which watchers of its folder would notice. A link is not followed.
  init(path: String) throws(SpoolError) {
    var status = stat()
    guard lstat(path, &status) == 0 else { throw SpoolError("access \(path)", code: errno) }
    self.init(status)
  }

  /// The file that `descriptor` is open on.
  init(descriptor: Int32, path: String) throws(SpoolError) {
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { throw SpoolError("access \(path)", code: errno) }
    self.init(status)
  }
}
