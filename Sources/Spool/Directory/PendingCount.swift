package import Registration
import Synchronization

/// How many lists are in `incoming/` or `reading/`. Every status asks for it, so a folder is only read if it has
/// changed.
package final class PendingCount: Sendable {
  private struct Count {
    var folder: FileStatus.Identity
    /// When the folder last changed, in nanoseconds since 1970.
    var changed: Int64
    /// When counting began, on the same clock.
    var at: Int64
    var lists: Int
  }

  /// Two changes within one tick get the same time. A tick is some milliseconds with the kernel's clock, and up to two
  /// seconds on old file systems. In nanoseconds.
  private static let tick: Int64 = 3_000_000_000

  private let spool: SpoolDirectory
  private let last = Mutex<[SpoolDirectory.Subfolder: Count]>([:])

  package init(spool: SpoolDirectory) {
    self.spool = spool
  }

  package func current(now: Timestamp) throws(SpoolError) -> Int {
    // `incoming/` first: lists move from there to `reading/`, so that none is missed in between.
    try count(in: .incoming, now: now) + count(in: .reading, now: now)
  }

  private func count(in place: SpoolDirectory.Subfolder, now: Timestamp) throws(SpoolError) -> Int {
    let status = try FileStatus(path: spool.path(of: place))
    let known = last.withLock { $0[place] }
    if let known, known.folder == status.identity, known.changed == status.changed,
      known.at - known.changed > Self.tick
    {
      return known.lists
    }
    let folder = try spool.folder(place)
    // Again: the path may be another folder's by now.
    let opened = try folder.status()
    let lists = try folder.countOfFiles { !$0.isIgnored }
    let count = Count(
      folder: opened.identity, changed: opened.changed, at: now.milliseconds * 1_000_000, lists: lists)
    last.withLock { $0[place] = count }
    return lists
  }
}
