import Dispatch
import Glibc
import Logging
import Registration
import Spool
import Synchronization

/// What is in the spool, examined on a dispatch queue of its own.
///
/// A file system can hang (a network mount whose server is gone). Status, health, the watchdog's heartbeat and the end
/// of the daemon must not hang with it. So they never open the spool themselves: callers wait here for a moment, and then
/// use what was last seen.
final class SpoolMonitor: Sendable {
  struct Finding: Sendable {
    /// Lists in `incoming/` or `reading/`.
    var incoming = 0
    /// Why the spool cannot be used, while it cannot.
    var fault: SpoolError?
  }

  private struct State {
    var finding = Finding()
    /// The scan in progress, which callers wait for.
    var present: DispatchGroup?
    /// The next scan, for callers that came after the present one began.
    var next: DispatchGroup?
    /// When the scan in progress began, in seconds on the monotonic clock.
    var begunAt = 0.0
    var begunAtWall = Timestamp.now()
  }

  /// Seconds after which an unfinished scan counts as hanging.
  private static let patience = 2.0

  private let spool: SpoolDirectory
  private let ownership: SpoolOwnership
  private let log: Logger
  private let pendingLists: PendingCount
  private let serial = DispatchQueue(label: "keyreg.spool.monitor")
  private let state = Mutex(State())

  init(spool: SpoolDirectory, ownership: SpoolOwnership, log: Logger) {
    self.spool = spool
    self.ownership = ownership
    self.log = log
    pendingLists = PendingCount(spool: spool)
  }

  /// The current state, or what was last seen if that takes longer than `seconds`.
  func finding(within seconds: Double = 0.02) -> Finding {
    if let finding = fresh(within: seconds) { return finding }
    return state.withLock { state in
      var finding = state.finding
      // There is nothing to show yet when the daemon starts on a spool that hangs.
      finding.fault = isHanging(state) ? hangs(since: state.begunAtWall) : finding.fault ?? ownership.fault
      return finding
    }
  }

  /// The error while the spool hangs. Asking also starts a scan if none is running.
  var hang: SpoolError? {
    let fault = finding(within: 0).fault
    return fault?.kind == .unanswered ? fault : nil
  }

  /// For work in the spool that has taken `seconds`, although scans of the spool succeed.
  func unanswered(for seconds: Double) -> SpoolError {
    .unanswered(spool: spool.path, "for \(Int(seconds)) s")
  }

  /// The current state; nil when that takes longer than `seconds`.
  func fresh(within seconds: Double) -> Finding? {
    let look: DispatchGroup? = state.withLock { state in
      guard state.present != nil else { return begin(DispatchGroup(), &state) }
      // A caller that does not wait needs no new scan.
      if isHanging(state) || seconds == 0 { return nil }
      let next = state.next ?? DispatchGroup()
      if state.next == nil { next.enter() }
      state.next = next
      return next
    }
    guard let look, look.wait(timeout: .now() + seconds) == .success else { return nil }
    return state.withLock { $0.finding }
  }

  private func begin(_ look: DispatchGroup, _ state: inout State) -> DispatchGroup {
    look.enter()
    start(look, &state)
    return look
  }

  private func start(_ look: DispatchGroup, _ state: inout State) {
    state.present = look
    state.begunAt = MonotonicClock.now()
    state.begunAtWall = .now()
    serial.async { @Sendable [self] in run() }
  }

  private func run() {
    let finding = look()
    let done = state.withLock { state in
      state.finding = finding
      let done = state.present
      state.present = nil
      if let next = state.next.take() { start(next, &state) }
      return done
    }
    done?.leave()
  }

  private func isHanging(_ state: State) -> Bool {
    state.present != nil && MonotonicClock.now() - state.begunAt > Self.patience
  }

  private func hangs(since: Timestamp) -> SpoolError {
    .unanswered(spool: spool.path, "since \(since)")
  }

  private func look() -> Finding {
    var finding = Finding()
    finding.fault = trouble() ?? ownership.fault
    do throws(SpoolError) {
      finding.incoming = try pendingLists.current(now: .now())
    } catch {
      finding.fault = finding.fault ?? error
    }
    return finding
  }

  /// Bytes of free space below which nothing useful can be written.
  private static let leastSpace: UInt = 16_384

  /// What prevents lists from being taken and results from being written.
  private func trouble() -> SpoolError? {
    for place in SpoolDirectory.Subfolder.allCases {
      let path = spool.path(of: place)
      var status = stat()
      if stat(path, &status) != 0 {
        let code = errno
        if code == ENOENT, let fault = restore(place) { return fault }
        guard code == ENOENT, stat(path, &status) == 0 else { return SpoolError("access \(path)", code: code) }
      }
      if status.st_mode & S_IFMT != S_IFDIR { return SpoolError("use \(path)", code: ENOTDIR) }
      if faccessat(AT_FDCWD, path, R_OK | W_OK | X_OK, AT_EACCESS) != 0 {
        var fault = SpoolError("use \(path)", code: errno)
        if fault.kind == .permission {
          fault.hint =
            "the daemon's user (uid \(geteuid())) must be able to read, write and search it: chown or chmod it"
        }
        return fault
      }
    }
    if let fault = renew() { return fault }
    var status = statvfs()
    guard statvfs(spool.path, &status) == 0 else { return SpoolError("access \(spool.path)", code: errno) }
    // A file system that reports no size, or no number of files, is never full.
    let free = geteuid() == 0 ? status.f_bfree : status.f_bavail
    let isFull = status.f_blocks > 0 && free * status.f_frsize < Self.leastSpace
    let isOutOfFiles = status.f_files > 0 && (geteuid() == 0 ? status.f_ffree : status.f_favail) == 0
    return isFull || isOutOfFiles ? SpoolError("write to \(spool.path)", code: ENOSPC) : nil
  }

  /// Locks the spool if it was replaced by another one. Returns why that was not possible.
  private func renew() -> SpoolError? {
    do throws(SpoolError) {
      guard try ownership.renew() else { return nil }
      log.warning("the spool was replaced by another one, which is now served", metadata: ["spool": "\(spool.path)"])
      return nil
    } catch {
      return error
    }
  }

  /// Creates a folder again that somebody has removed. Returns why that was not possible.
  private func restore(_ place: SpoolDirectory.Subfolder) -> SpoolError? {
    let path = spool.path(of: place)
    do throws(SpoolError) {
      switch try ownership.restore(place) {
      case .created:
        log.warning("a folder of the spool had disappeared and was created again", metadata: ["folder": "\(path)"])
      case .needless: break
      case .refused:
        var fault = SpoolError("access \(path)", code: ENOENT)
        fault.hint =
          "check that \(spool.path) is still the same folder, and mounted; keyreg creates a new spool only when it starts"
        return fault
      }
      return nil
    } catch {
      return error
    }
  }
}
