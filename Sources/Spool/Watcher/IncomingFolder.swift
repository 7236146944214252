import Glibc
import Synchronization

/// `incoming/` as the watcher sees it: events are noted, the folder is looked at, and the settle rule decides. Survives
/// that the folder is removed and made again, by watching whatever is there at each look.
final class IncomingFolder: Sendable {
  struct Findings {
    var ready: [FileName] = []
    var warnings: [SpoolWarning] = []
  }

  private struct State {
    var rule: SettleRule
    var watch: (number: Int32, folder: FileStatus.Identity)?
    /// What has been warned of, to do so once: it is forgotten when it is gone.
    var strange: [FileName: FileStatus.Identity] = [:]
    var isUnavailable = false
    var isScanningOnly = false
    var isStopped = false
  }

  private let spool: SpoolDirectory
  /// Nil when the system allows no events.
  private let events: FolderEvents?
  private let state: Mutex<State>

  init(spool: SpoolDirectory, settle: Duration, events: FolderEvents?) {
    self.spool = spool
    self.events = events
    state = Mutex(State(rule: SettleRule(settle: settle)))
  }

  /// Takes note of the events that wait. True when a file may have become ready, or the folder has gone.
  func takeEvents() -> Bool {
    guard let events else { return false }
    return state.withLock { state in
      let now = Self.monotonic()
      var needsLook = false
      for notice in events.read(of: state.watch?.number) {
        switch notice {
        case .folderGone:
          state.watch = nil
          needsLook = true
        case .file(let event):
          state.rule.note(event, at: now)
          switch event {
          case .closedAfterWriting, .movedIn, .overflow, .created: needsLook = true
          case .modified, .gone: break
          }
        }
      }
      return needsLook
    }
  }

  /// Looks into the folder.
  func look() -> Findings {
    state.withLock { state in
      var findings = Findings()
      if state.isStopped { return findings }
      do throws(SpoolError) {
        let folder = try spool.folder(.incoming)
        try watch(folder, &state, &findings)
        try look(into: folder, &state, &findings)
        state.isUnavailable = false
      } catch {
        if !state.isUnavailable { findings.warnings.append(.unavailable(error)) }
        state.isUnavailable = true
      }
      return findings
    }
  }

  /// From now on a look finds nothing.
  func stop() {
    state.withLock { $0.isStopped = true }
  }

  private func watch(_ folder: Folder, _ state: inout State, _ findings: inout Findings) throws(SpoolError) {
    guard let events else { return }
    let identity = try folder.status().identity
    if state.watch?.folder == identity { return }
    if let old = state.watch {
      events.unwatch(old.number)
      state.rule.note(.overflow, at: Self.monotonic())
    }
    state.watch = nil
    do throws(SpoolError) {
      state.watch = (try events.watch(folder.path), identity)
      state.isScanningOnly = false
    } catch {
      if !state.isScanningOnly { findings.warnings.append(.scanningOnly(error)) }
      state.isScanningOnly = true
    }
  }

  private func look(into folder: Folder, _ state: inout State, _ findings: inout Findings) throws(SpoolError) {
    var files: [SettleRule.Observation] = []
    var strange: [FileName: FileStatus.Identity] = [:]
    for name in try folder.names().sorted() where !name.isLeftAlone {
      guard let status = try folder.status(of: name) else { continue }
      if status.kind == .regular {
        files.append(SettleRule.Observation(name: name, status: status))
        continue
      }
      if state.strange[name] != status.identity { findings.warnings.append(.notRegular(name, status.kind)) }
      strange[name] = status.identity
    }
    state.strange = strange
    findings.ready = state.rule.ready(among: files, at: Self.monotonic(), wall: Self.wall()) { name in
      // A file that cannot be opened now is offered as it is: opening it then gives the reason.
      (try? SpoolFile(name, in: folder, maximumSize: nil))?.hasWriter()
    }
  }

  private static func monotonic() -> Duration { read(CLOCK_MONOTONIC) }

  private static func wall() -> Int64 {
    let time = read(CLOCK_REALTIME).components
    return time.seconds * 1_000_000_000 + time.attoseconds / 1_000_000_000
  }

  private static func read(_ clock: clockid_t) -> Duration {
    var time = timespec()
    clock_gettime(clock, &time)
    return .seconds(time.tv_sec) + .nanoseconds(time.tv_nsec)
  }
}
