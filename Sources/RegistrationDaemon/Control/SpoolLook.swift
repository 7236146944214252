import Dispatch
import Glibc
import Logging
import Registration
import Spool
import Synchronization

/// What lies in the spool, looked at on a queue of its own.
///
/// A file system can hang (a network mount whose server is gone): status, health, the watchdog's heartbeat and the end of
/// the daemon must not hang with it. So nobody opens the spool to answer a question; they wait here for a moment, and
/// make do with what was seen last.
final class SpoolLook: Sendable {
  struct Finding: Sendable {
    /// Lists in `incoming/` or `reading/`.
    var incoming = 0
    /// Why the spool cannot be used, while it cannot.
    var fault: SpoolError?
  }

  private struct State {
    var finding = Finding()
    /// The look under way, which its waiters wait for.
    var present: DispatchGroup?
    /// The one that follows it, for those who came after it began.
    var next: DispatchGroup?
    /// When the look under way began, in seconds of the monotonic clock.
    var begunAt = 0.0
    var begunAtWall = Timestamp.now()
  }

  /// Seconds after which a look that has not come back is called hanging.
  private static let patience = 2.0

  private let spool: SpoolDirectory
  private let ownership: SpoolOwnership
  private let log: Logger
  private let pendingLists: PendingCount
  private let serial = DispatchQueue(label: "keyreg.spool.look")
  private let state = Mutex(State())

  init(spool: SpoolDirectory, ownership: SpoolOwnership, log: Logger) {
    self.spool = spool
    self.ownership = ownership
    self.log = log
    pendingLists = PendingCount(spool: spool)
  }

  /// What is there now, or was seen last when that takes longer than `seconds`.
  func finding(within seconds: Double = 0.02) -> Finding {
    if let finding = fresh(within: seconds) { return finding }
    return state.withLock { state in
      var finding = state.finding
      // Nobody has seen it yet when the daemon starts while it hangs.
      finding.fault = isHanging(state) ? hangs(since: state.begunAtWall) : finding.fault ?? ownership.fault
      return finding
    }
  }

  /// That the spool hangs, while it does. Asking makes sure that somebody looks.
  var hang: SpoolError? {
    let fault = finding(within: 0).fault
    return fault?.kind == .unanswered ? fault : nil
  }

  /// For work in the spool that has taken `seconds`, though the spool answers to a look.
  func unanswered(for seconds: Double) -> SpoolError {
    .unanswered(spool: spool.path, "for \(Int(seconds)) s")
  }

  /// What is there now; nil when that takes longer than `seconds`.
  func fresh(within seconds: Double) -> Finding? {
    let look: DispatchGroup? = state.withLock { state in
      guard state.present != nil else { return begin(DispatchGroup(), &state) }
      if isHanging(state) { return nil }
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

  /// Bytes of free space below which nothing worth the name can be written.
  private static let leastSpace: UInt = 16_384

  /// What would keep lists from being taken in and results from being written.
  private func trouble() -> SpoolError? {
    for place in SpoolDirectory.Place.allCases {
      let path = spool.path(of: place)
      var status = stat()
      if stat(path, &status) != 0 {
        let code = errno
        if code == ENOENT, let fault = restore(place) { return fault }
        guard code == ENOENT, stat(path, &status) == 0 else { return SpoolError("look at \(path)", code: code) }
      }
      if status.st_mode & S_IFMT != S_IFDIR { return SpoolError("work in \(path)", code: ENOTDIR) }
      if faccessat(AT_FDCWD, path, R_OK | W_OK | X_OK, AT_EACCESS) != 0 {
        return SpoolError("work in \(path)", code: errno)
      }
    }
    var status = statvfs()
    guard statvfs(spool.path, &status) == 0 else { return SpoolError("look at \(spool.path)", code: errno) }
    // A file system without a size, or without a number of files, has no end that could be told.
    let free = geteuid() == 0 ? status.f_bfree : status.f_bavail
    let isFull = status.f_blocks > 0 && free * status.f_frsize < Self.leastSpace
    let isOutOfFiles = status.f_files > 0 && (geteuid() == 0 ? status.f_ffree : status.f_favail) == 0
    return isFull || isOutOfFiles ? SpoolError("write in \(spool.path)", code: ENOSPC) : nil
  }

  /// Makes a folder again that somebody has removed. Returns why that was not done.
  private func restore(_ place: SpoolDirectory.Place) -> SpoolError? {
    let path = spool.path(of: place)
    do throws(SpoolError) {
      guard try ownership.restore(place) else {
        var fault = SpoolError("look at \(path)", code: ENOENT)
        fault.hint = "is \(spool.path) still the spool, and mounted? elsewhere keyreg makes folders at its start only"
        return fault
      }
      log.warning("a folder of the spool was gone and is made again", metadata: ["folder": "\(path)"])
      return nil
    } catch {
      return error
    }
  }
}
