/// Decides which files in `incoming/` are whole: a value without clock or I/O, told what happened and what is there.
///
/// - Moved in, or closed after writing: ready at once. An empty one waits `settle` all the same: `touch` makes such files
///   before they are written.
/// - Known to be open for writing: left until it is closed, or nothing has happened to it for `patience` (its writer
///   hangs, or the event of its closing was lost).
/// - Found by looking: ready once its last change is `settle` old. A change in the future (the clock was set back) counts
///   from when we first saw it so.
///
/// All moments are durations since one fixed moment of a monotonic clock; only `wall` and `changed` are of the wall clock.
package struct SettleRule: Sendable {
  /// What the system told about a name.
  package enum Event: Hashable, Sendable {
    case created(FileName)
    case modified(FileName)
    case closedAfterWriting(FileName)
    case movedIn(FileName)
    /// Removed or moved away.
    case gone(FileName)
    /// Events were lost: what was known of any file may be wrong.
    case overflow
  }

  /// A regular file as a look into the folder found it.
  package struct Observation: Hashable, Sendable {
    package var name: FileName
    package var status: FileStatus

    package init(name: FileName, status: FileStatus) {
      self.name = name
      self.status = status
    }
  }

  private struct Knowledge {
    var isWhole = false
    var isCreated = false
    var writtenAt: Duration?
    /// The state in which it was last seen, and since when it is so.
    var status: FileStatus?
    var since = Duration.zero
  }

  package let settle: Duration
  package let patience: Duration
  private var known: [FileName: Knowledge] = [:]

  package init(settle: Duration, patience: Duration = .seconds(300)) {
    self.settle = settle
    self.patience = patience
  }

  /// Takes note of `event`, which came at `now`.
  package mutating func note(_ event: Event, at now: Duration) {
    switch event {
    case .created(let name):
      known[name] = Knowledge(isCreated: true)
    case .modified(let name):
      known[name, default: Knowledge()].isWhole = false
      known[name, default: Knowledge()].writtenAt = now
    case .closedAfterWriting(let name), .movedIn(let name):
      known[name] = Knowledge(isWhole: true)
    case .gone(let name):
      known[name] = nil
    case .overflow:
      known = [:]
    }
  }

  /// The files that are whole, by name in the C locale's order. `files` is all that is in the folder: what is known of
  /// other names is forgotten. `wall` is the wall clock in nanoseconds since 1970. `hasWriter` tells whether somebody has
  /// a file open for writing, nil when that cannot be told; it is asked only for files that would be ready otherwise.
  package mutating func ready(
    among files: [Observation], at now: Duration, wall: Int64, hasWriter: (FileName) -> Bool?
  ) -> [FileName] {
    var present: [FileName: Knowledge] = [:]
    var ready: [FileName] = []
    for file in files {
      var knowledge = known[file.name] ?? Knowledge()
      if knowledge.status != file.status {
        knowledge.status = file.status
        knowledge.since = now
      }
      present[file.name] = knowledge
      if isReady(file, knowledge, at: now, wall: wall, hasWriter: hasWriter) { ready.append(file.name) }
    }
    known = present
    return ready.sorted()
  }

  private func isReady(
    _ file: Observation, _ knowledge: Knowledge, at now: Duration, wall: Int64, hasWriter: (FileName) -> Bool?
  ) -> Bool {
    // One writer has closed it; another may have it open (`touch`, then a copy over it), and its close comes later.
    if knowledge.isWhole, file.status.size > 0, hasWriter(file.name) != true { return true }
    let lastChange = max(knowledge.writtenAt ?? knowledge.since, knowledge.since)
    let isStill = now - lastChange >= patience
    // An empty file that was just made: its writer may be waiting for the first bytes.
    let isOpen = knowledge.writtenAt != nil || (knowledge.isCreated && file.status.size == 0)
    if isOpen, !isStill { return false }
    let age = Duration.nanoseconds(wall - file.status.changed)
    let isSettled = age >= .zero ? age >= settle : now - knowledge.since >= settle
    guard isSettled else { return false }
    return isStill || hasWriter(file.name) != true
  }
}
