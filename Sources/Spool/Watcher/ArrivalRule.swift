/// Decides which files in `incoming/` are complete and can be claimed: a value without clock or I/O that takes in
/// events and scans.
///
/// - Moved in: at once. An empty file waits nevertheless: `touch` creates such files before they are written.
/// - Written in place, or found by scanning: once it is not known to be open, and its size and time have not changed
///   for `settle`. So an upload in pieces, or a loop of appends, is one list.
/// - Known to be open for writing: once nothing has happened to it for a minute. Its writer hangs, or the event of its
///   closing was lost.
/// - Open, perhaps only for reading: after ten seconds. The system reports two closings at once as one.
///
/// A file that is claimed too early loses nothing: what is appended later is read then.
///
/// All moments are durations since one fixed moment of a monotonic clock; only `wall` and modification times are on the
/// wall clock.
package struct ArrivalRule: Sendable {
  /// What the system reported about a name.
  package enum Event: Hashable, Sendable {
    case made(FileName)
    case opened(FileName)
    case modified(FileName)
    case closed(FileName, afterWriting: Bool)
    case movedIn(FileName)
    /// Removed or moved away.
    case gone(FileName)
    /// Events were lost: what was known about any file may be wrong.
    case overflow
  }

  /// A regular file as a scan of the folder found it.
  package struct Observation: Hashable, Sendable {
    package var name: FileName
    package var status: FileStatus

    package init(name: FileName, status: FileStatus) {
      self.name = name
      self.status = status
    }
  }

  /// The result of a scan.
  package struct Decision: Hashable, Sendable {
    /// The complete files, by name in the C locale's order.
    package var ready: [FileName] = []
    /// When the next file will be complete if nothing happens to it, nil when none waits.
    package var nextLook: Duration?
  }

  private struct Knowledge {
    var isMovedIn = false
    /// How many processes have it open, including readers. Only openings that were seen count.
    var openers = 0
    var isWritten = false
    /// Its status when it was last seen.
    var status: FileStatus?
    /// Since when nothing has happened to it, as far as is known.
    var since: Duration?

    func patience(settle: Duration) -> Duration {
      max(settle, isWritten ? .seconds(60) : openers > 0 ? .seconds(10) : .zero)
    }
  }

  package let settle: Duration
  private var known: [FileName: Knowledge] = [:]

  package init(settle: Duration) {
    self.settle = settle
  }

  /// Takes note of `event`, which came at `now`.
  package mutating func note(_ event: Event, at now: Duration) {
    switch event {
    case .made(let name):
      known[name] = Knowledge(since: now)
    case .opened(let name):
      known[name, default: Knowledge()].openers += 1
    case .modified(let name):
      update(name, at: now) {
        $0.isMovedIn = false
        $0.isWritten = true
      }
    case .closed(let name, let afterWriting):
      // Opening and closing without writing changes nothing.
      guard afterWriting else {
        if let openers = known[name]?.openers { known[name]?.openers = max(0, openers - 1) }
        return
      }
      update(name, at: now) {
        $0.openers = max(0, $0.openers - 1)
        $0.isWritten = false
      }
    case .movedIn(let name):
      known[name] = Knowledge(isMovedIn: true, since: now)
    case .gone(let name):
      known[name] = nil
    case .overflow:
      known = [:]
    }
  }

  private mutating func update(_ name: FileName, at now: Duration, _ change: (inout Knowledge) -> Void) {
    var knowledge = known[name] ?? Knowledge()
    change(&knowledge)
    knowledge.since = now
    known[name] = knowledge
  }

  /// Which of `files` are complete. They are everything in the folder: what is known about other names is forgotten.
  /// `wall` is the wall clock in nanoseconds since 1970.
  package mutating func decide(_ files: [Observation], at now: Duration, wall: Int64) -> Decision {
    var present: [FileName: Knowledge] = [:]
    var decision = Decision()
    for file in files {
      var knowledge = known[file.name] ?? Knowledge()
      if knowledge.status.map({ !$0.hasSameContent(as: file.status) }) ?? false { knowledge.since = now }
      knowledge.status = file.status
      let since = knowledge.since ?? now - file.status.age(wall: wall)
      knowledge.since = since
      present[file.name] = knowledge
      let isReadyAt =
        knowledge.isMovedIn && file.status.size > 0 ? now : since + knowledge.patience(settle: settle)
      if isReadyAt <= now {
        decision.ready.append(file.name)
      } else {
        decision.nextLook = min(decision.nextLook ?? isReadyAt, isReadyAt)
      }
    }
    known = present
    decision.ready.sort()
    return decision
  }
}
