package import Registration
import Synchronization

/// How many lists lie in `incoming/` or `reading/`. Asked with every status, so a folder is read only when it has changed
/// since.
package final class PendingCount: Sendable {
  private struct Count {
    var folder: FileStatus.Identity
    /// When the folder last changed, in nanoseconds since 1970.
    var changed: Int64
    /// When counting began, on the same clock.
    var at: Int64
    var lists: Int
  }

  /// Two changes within one tick have the same time: some milliseconds where the kernel's clock is kept, up to two seconds
  /// on old file systems. In nanoseconds.
  private static let tick: Int64 = 3_000_000_000

  private let spool: SpoolDirectory
  private let last = Mutex<[SpoolDirectory.Place: Count]>([:])

  package init(spool: SpoolDirectory) {
    self.spool = spool
  }

  package func current(now: Timestamp) throws(SpoolError) -> Int {
    // `incoming/` first: lists move from there to `reading/`, so that none is missed in between.
    try count(in: .incoming, now: now) + count(in: .reading, now: now)
  }

  private func count(in place: SpoolDirectory.Place, now: Timestamp) throws(SpoolError) -> Int {
    let folder = try spool.folder(place)
    let status = try folder.status()
    let known = last.withLock { $0[place] }
    if let known, known.folder == status.identity, known.changed == status.changed,
      known.at - known.changed > Self.tick
    {
      return known.lists
    }
    let lists = try folder.countOfFiles { !$0.isLeftAlone }
    let count = Count(
      folder: status.identity, changed: status.changed, at: now.milliseconds * 1_000_000, lists: lists)
    last.withLock { $0[place] = count }
    return lists
  }
}
