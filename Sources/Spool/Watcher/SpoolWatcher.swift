import Dispatch
import Synchronization

/// Claims the lists in `incoming/` that are whole, and tells which claimed lists can be read: after an event, else at the
/// next look. Callbacks run on one serial queue; while they do, events wait.
package final class SpoolWatcher: Sendable {
  package struct Callbacks: Sendable {
    /// Lists that can be read, by name in the C locale's order. Each is told once; whoever cannot read it now tries again,
    /// or says `noteWrite`.
    package var ready: @Sendable ([ReadyList]) -> Void
    package var warning: @Sendable (SpoolWarning) -> Void
    /// `standing` is another than before.
    package var standingChanged: @Sendable () -> Void
    /// Events were lost: lists that were filed may have been written to without anybody hearing of it.
    package var missedWrites: @Sendable () -> Void

    package init(
      ready: @escaping @Sendable ([ReadyList]) -> Void, warning: @escaping @Sendable (SpoolWarning) -> Void,
      standingChanged: @escaping @Sendable () -> Void, missedWrites: @escaping @Sendable () -> Void
    ) {
      self.ready = ready
      self.warning = warning
      self.standingChanged = standingChanged
      self.missedWrites = missedWrites
    }
  }

  private let queue = DispatchQueue(label: "keyreg.spool.watcher")
  private let folders: IntakeFolders
  private let events: Result<FolderEvents, SpoolError>
  private let rescan: Duration
  private let state = Mutex(State())

  private struct State {
    var callbacks: Callbacks?
    /// When the next look that was asked for is due; no other is asked for later than that.
    var nextLook: DispatchTime?
    // Each is made once and cancelled once.
    var timer: (any DispatchSourceProtocol)?
    var reading: (any DispatchSourceProtocol)?
  }

  /// - Parameters:
  ///   - settle: How long a file must have been still that was not moved in.
  ///   - rescan: The time between looks that no event causes.
  ///   - isTaken: Names that the queue knows, whether or not their files are still there.
  package convenience init(
    spool: SpoolDirectory, settle: Duration, rescan: Duration = .seconds(5),
    isTaken: @escaping @Sendable (ListName) throws -> Bool
  ) {
    let events: Result<FolderEvents, SpoolError>
    do throws(SpoolError) {
      events = .success(try FolderEvents())
    } catch {
      events = .failure(error)
    }
    self.init(spool: spool, settle: settle, rescan: rescan, events: events, isTaken: isTaken)
  }

  /// As above. Without events the folders are only looked at, and a warning says why.
  init(
    spool: SpoolDirectory, settle: Duration, rescan: Duration, events: Result<FolderEvents, SpoolError>,
    isTaken: @escaping @Sendable (ListName) throws -> Bool
  ) {
    self.events = events
    self.rescan = rescan
    folders = IntakeFolders(spool: spool, settle: settle, events: try? events.get(), isTaken: isTaken)
  }

  /// Begins to watch. Once only.
  package func start(_ callbacks: Callbacks) {
    if case .failure(let refusal) = events {
      queue.async { @Sendable in callbacks.warning(.scanningOnly(refusal)) }
    }
    state.withLock { state in
      state.callbacks = callbacks
      state.reading = readSource()
      state.timer = tickSource()
    }
  }

  /// What is not read and why, as the last look found it. Never waits for the file system.
  package var standing: IntakeStanding { folders.standing }

  /// The list was written to, or may have been, or its last record has no line end: it is told again when it is still.
  package func noteWrite(to name: ListName) {
    queue.async { @Sendable [self] in
      folders.noteWrite(to: name)
      look(in: max(0.001, folders.settle / .seconds(1)))
    }
  }

  /// Ends watching. A batch that is being delivered is not waited for; no other begins.
  package func stop() {
    folders.stop()
    state.withLock { state in
      state.timer?.cancel()
      state.reading?.cancel()
      state.callbacks = nil
    }
  }

  deinit {
    stop()
  }
}

extension SpoolWatcher {
  private func look() {
    guard let callbacks = state.withLock({ $0.callbacks }) else { return }
    let findings = folders.look()
    for warning in findings.warnings { callbacks.warning(warning) }
    if findings.isStandingNew { callbacks.standingChanged() }
    if findings.mayHaveMissedWrites { callbacks.missedWrites() }
    if !findings.ready.isEmpty { callbacks.ready(findings.ready) }
    if let next = findings.nextLook { look(in: max(0.001, next)) }
  }

  /// Looks within so many seconds; at once for none.
  private func look(in seconds: Double) {
    guard seconds > 0 else { return look() }
    // A little late, so that what is to be still by then is.
    let due = DispatchTime.now() + seconds + 0.002
    let isEarlier = state.withLock { state in
      if let next = state.nextLook, next <= due, next > .now() { return false }
      state.nextLook = due
      return true
    }
    guard isEarlier else { return }
    queue.asyncAfter(deadline: due) { @Sendable [weak self] in
      guard let self else { return }
      state.withLock { if $0.nextLook == due { $0.nextLook = nil } }
      look()
    }
  }

  private func tickSource() -> sending any DispatchSourceProtocol {
    let timer = DispatchSource.makeTimerSource(queue: queue)
    timer.schedule(deadline: .now(), repeating: rescan / .seconds(1))
    timer.setEventHandler { @Sendable [weak self] in self?.look() }
    timer.activate()
    return timer
  }

  private func readSource() -> sending (any DispatchSourceProtocol)? {
    guard let events = try? events.get() else { return nil }
    let source = DispatchSource.makeReadSource(fileDescriptor: events.number, queue: queue)
    source.setEventHandler { @Sendable [weak self] in
      guard let self, let seconds = folders.takeEvents() else { return }
      look(in: seconds)
    }
    // The descriptor must outlive the source: the handler that runs last keeps it until then.
    source.setCancelHandler { @Sendable in withExtendedLifetime(events) {} }
    source.activate()
    return source
  }
}
