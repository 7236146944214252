import Dispatch
import Synchronization

/// Tells which lists in `incoming/` can be read: at once after an event, else at the next look.
///
/// Every batch is all that is ready at that moment, by name in the C locale's order; what is still there at the next look
/// is offered again, so that nothing has to be remembered of a list that could not be taken (a full disk). Who takes them
/// asynchronously must expect a name that is already in hand. Both callbacks run on one serial queue; while they do,
/// events wait.
package final class SpoolWatcher: Sendable {
  private let queue = DispatchQueue(label: "keyreg.spool.watcher")
  private let folder: IncomingFolder
  private let look: @Sendable () -> Void
  // Each source is made once and cancelled once. The type of sources is not Sendable, hence the locks.
  private let timer: Mutex<any DispatchSourceProtocol>
  /// Of events, nil when the system allows none: then the folder is only looked at.
  private let reading: Mutex<(any DispatchSourceProtocol)?>

  /// Begins to watch. `settle` is the age that a file found by looking must have; `rescan` the time between looks.
  package convenience init(
    spool: SpoolDirectory, settle: Duration, rescan: Duration = .seconds(5),
    onReady: @escaping @Sendable ([FileName]) -> Void, onWarning: @escaping @Sendable (SpoolWarning) -> Void
  ) {
    let events: Result<FolderEvents, SpoolError>
    do throws(SpoolError) {
      events = .success(try FolderEvents())
    } catch {
      events = .failure(error)
    }
    self.init(spool: spool, settle: settle, rescan: rescan, events: events, onReady: onReady, onWarning: onWarning)
  }

  /// As above. Without events the folder is only looked at, and a warning says why.
  init(
    spool: SpoolDirectory, settle: Duration, rescan: Duration, events: Result<FolderEvents, SpoolError>,
    onReady: @escaping @Sendable ([FileName]) -> Void, onWarning: @escaping @Sendable (SpoolWarning) -> Void
  ) {
    let refusal: SpoolError? = if case .failure(let error) = events { error } else { nil }
    let events: FolderEvents? = if case .success(let events) = events { events } else { nil }
    let folder = IncomingFolder(spool: spool, settle: settle, events: events)
    let look = { @Sendable in
      let findings = folder.look()
      for warning in findings.warnings { onWarning(warning) }
      if !findings.ready.isEmpty { onReady(findings.ready) }
    }
    self.folder = folder
    self.look = look

    if let refusal { queue.async { @Sendable in onWarning(.scanningOnly(refusal)) } }
    reading = Mutex(Self.readSource(of: events, on: queue) { @Sendable in if folder.takeEvents() { look() } })
    timer = Mutex(Self.timer(on: queue, every: rescan, look))
  }

  private static func timer(
    on queue: DispatchQueue, every interval: Duration, _ handler: @escaping @Sendable () -> Void
  ) -> sending any DispatchSourceProtocol {
    let timer = DispatchSource.makeTimerSource(queue: queue)
    let seconds = Double(interval.components.seconds) + Double(interval.components.attoseconds) / 1e18
    timer.schedule(deadline: .now(), repeating: seconds)
    timer.setEventHandler { @Sendable in handler() }
    timer.activate()
    return timer
  }

  private static func readSource(
    of events: FolderEvents?, on queue: DispatchQueue, _ handler: @escaping @Sendable () -> Void
  ) -> sending (any DispatchSourceProtocol)? {
    guard let events else { return nil }
    let source = DispatchSource.makeReadSource(fileDescriptor: events.number, queue: queue)
    source.setEventHandler { @Sendable in handler() }
    // The descriptor must outlive the source: the handler that runs last keeps it until then.
    source.setCancelHandler { @Sendable in withExtendedLifetime(events) {} }
    source.activate()
    return source
  }

  deinit {
    stop()
  }

  /// Ends watching. A batch that is being delivered is not waited for; no other begins.
  package func stop() {
    folder.stop()
    timer.withLock { $0.cancel() }
    reading.withLock { $0?.cancel() }
  }

  /// Looks at once, without waiting for the next time. Returns before the look.
  package func rescan() {
    queue.async(execute: look)
  }
}
