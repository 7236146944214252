package import RateLimit
package import Registration

/// Results on their way to the disk, in their order: which are written next, and when.
///
/// A pure value. While one group is written, the next collects. What the disk refuses stays and is tried again.
package struct UnwrittenResults: Sendable {
  package enum Step: Sendable, Hashable {
    /// Nothing is waiting to be written.
    case rest
    /// More results are expected soon: ask again after this many seconds.
    case collect(Seconds)
    /// Write these in one transaction, then call `written` or `refused`.
    case write([KeyResult])
  }

  private enum Disk: Hashable {
    case works, refuses
  }

  /// Maximum results in one transaction: limits how long others wait for the writer.
  package static let groupSize = 1_000
  /// Seconds before what the disk refused is tried again.
  package static let tryAgainAfter: Seconds = 1

  private var waiting: [KeyResult] = []
  private var disk = Disk.works
  private var pace = CommitPace()

  package init() {}

  package var isEmpty: Bool { waiting.isEmpty }

  /// Whether nothing was waiting before, so that writing must begin.
  package mutating func add(_ results: [KeyResult]) -> Bool {
    defer { waiting += results }
    return waiting.isEmpty && !results.isEmpty
  }

  package func next(now: Seconds) -> Step {
    guard !waiting.isEmpty else { return .rest }
    let wait = pace.wait(for: waiting.count, now: now)
    return wait > 0 ? .collect(wait) : .write(Array(waiting.prefix(Self.groupSize)))
  }

  /// The first `count` results are on disk.
  package mutating func written(_ count: Int, now: Seconds) {
    waiting.removeFirst(count)
    disk = .works
    pace.committed(at: now)
  }

  /// The disk refused the group. Returns whether it had worked before.
  package mutating func refused() -> Bool {
    defer { disk = .refuses }
    return disk == .works
  }
}
