import Dispatch
import Synchronization

/// Claims complete lists in `incoming/`, and reports which claimed lists can be read: after an event, or at the next
/// scan. Callbacks run on one serial queue; meanwhile events wait.
package final class SpoolWatcher: Sendable {
  package struct Callbacks: Sendable {
    /// Lists that can be read, by name in the C locale's order. Each is reported once; a receiver that cannot read it
    /// now tries again, or calls `noteWrite`.
    package var ready: @Sendable ([ReadyList]) -> Void
    package var warning: @Sendable (SpoolWarning) -> Void
    /// `standing` has changed.
    package var standingChanged: @Sendable () -> Void
    /// These lists are no longer in `rejected/`: they were removed, or are being read again.
    package var removed: @Sendable ([ListName]) -> Void
    /// Events were lost: filed lists may have been written to, or removed, unnoticed.
    package var missedWrites: @Sendable () -> Void

    package init(
      ready: @escaping @Sendable ([ReadyList]) -> Void, warning: @escaping @Sendable (SpoolWarning) -> Void,
      standingChanged: @escaping @Sendable () -> Void, removed: @escaping @Sendable ([ListName]) -> Void,
      missedWrites: @escaping @Sendable () -> Void
    ) {
      self.ready = ready
      self.warning = warning
      self.standingChanged = standingChanged
      self.removed = removed
      self.missedWrites = missedWrites
    }
  }

  private let queue = DispatchQueue(label: "keyreg.spool.watcher")
  private let folders: IntakeFolders
  /// Throws when the system allows no events; asked again before each regular scan until it does.
  private let openEvents: @Sendable () throws(SpoolError) -> FolderEvents
  private let rescan: Duration
  private let state = Mutex(State())

  private struct State {
    var callbacks: Callbacks?
    /// The warning was given that there are no events.
    var hasWarned = false
    /// When the next requested scan is due; no scan is requested for a later time.
    var nextLook: DispatchTime?
    // Each is created once and cancelled once.
    var timer: (any DispatchSourceProtocol)?
    var reading: (any DispatchSourceProtocol)?
  }

  /// - Parameters:
  ///   - settle: How long a file that was not moved in must have been unchanged.
  ///   - rescan: The time between scans without events.
  ///   - isTaken: Whether the queue knows a name, even if its file is gone.
  package convenience init(
    spool: SpoolDirectory, settle: Duration, rescan: Duration = .seconds(5),
    isTaken: @escaping @Sendable (ListName) throws -> Bool
  ) {
    self.init(
      spool: spool, settle: settle, rescan: rescan, openEvents: { () throws(SpoolError) in try FolderEvents() },
      isTaken: isTaken)
  }

  /// As above. While there are no events the folders are only scanned, and a warning says why.
  init(
    spool: SpoolDirectory, settle: Duration, rescan: Duration,
    openEvents: @escaping @Sendable () throws(SpoolError) -> FolderEvents,
    isTaken: @escaping @Sendable (ListName) throws -> Bool
  ) {
    self.openEvents = openEvents
    self.rescan = rescan
    folders = IntakeFolders(spool: spool, settle: settle, isTaken: isTaken)
  }

  /// Starts watching. Once only.
  package func start(_ callbacks: Callbacks) {
    state.withLock { state in
      state.callbacks = callbacks
      state.timer = tickSource()
    }
  }

  /// What is not read and why, as of the last scan. Never waits for the file system.
  package var standing: IntakeStanding { folders.standing }

  /// The list was written to, or may have been, or its last record has no line end: it is reported again once it has
  /// settled.
  package func noteWrite(to name: ListName) {
    queue.async { @Sendable [self] in
      folders.noteWrite(to: name)
      look(in: max(0.001, folders.settle / .seconds(1)))
    }
  }

  /// Runs `body` after all writes that have been noted are in `standing`.
  package func afterwards(_ body: @escaping @Sendable () -> Void) {
    queue.async(execute: body)
  }

  /// Stops watching. Does not wait for a batch that is being delivered; no other begins.
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
    if !findings.removed.isEmpty { callbacks.removed(findings.removed) }
    if findings.mayHaveMissedWrites { callbacks.missedWrites() }
    if !findings.ready.isEmpty { callbacks.ready(findings.ready) }
    if let next = findings.nextLook { look(in: max(0.001, next)) }
  }

  /// Scans within this many seconds; at once for zero.
  private func look(in seconds: Double) {
    guard seconds > 0 else { return look() }
    // A little late, so that what should have settled by then has.
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
    timer.setEventHandler { @Sendable [weak self] in
      self?.ensureEvents()
      self?.look()
    }
    timer.activate()
    return timer
  }

  /// Has events reported, if they are not and the system allows it now.
  private func ensureEvents() {
    let (callbacks, hasEvents) = state.withLock { ($0.callbacks, $0.reading != nil) }
    guard let callbacks, !hasEvents else { return }
    do throws(SpoolError) {
      let events = try openEvents()
      folders.use(events)
      state.withLock { if $0.callbacks != nil { $0.reading = readSource(events) } }
    } catch {
      let isNews = state.withLock { state in
        defer { state.hasWarned = true }
        return !state.hasWarned
      }
      if isNews { callbacks.warning(.scanningOnly(error)) }
    }
  }

  private func readSource(_ events: FolderEvents) -> sending any DispatchSourceProtocol {
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
