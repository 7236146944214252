import Dispatch
package import Registration
import RegistrationCore
package import RegistrationQueue
import Synchronization

/// Passes results to the queue in groups: while one commit waits for the disk, the next group collects.
///
/// Results that cannot be written stay in memory and are tried again every second; meanwhile the pool sends nothing.
package final class Recorder: Sendable {
  package enum Report: Sendable {
    /// These are on disk.
    case recorded([KeyResult])
    /// The disk fails; nothing is lost while the process lives.
    case refused(QueueError)
    /// The queue cannot be used any more, and waiting does not help.
    case broken(QueueError)
  }

  private let queue: RegistrationQueue
  private let serial = DispatchQueue(label: "keyreg.recorder")
  private let results = Mutex(UnwrittenResults())
  private let report: @Sendable (Report) -> Void

  /// `report` is called on the recorder's own dispatch queue.
  package init(queue: RegistrationQueue, report: @escaping @Sendable (Report) -> Void) {
    self.queue = queue
    self.report = report
  }

  /// Returns at once.
  package func record(_ results: [KeyResult]) {
    if self.results.withLock({ $0.add(results) }) { serial.async { @Sendable [self] in write() } }
  }

  /// Runs `body` after everything that is being written now.
  package func afterwards(_ body: @escaping @Sendable () -> Void) {
    serial.async(execute: body)
  }

  private func write() {
    while true {
      switch results.withLock({ $0.next(now: MonotonicClock.now()) }) {
      case .rest: return
      case .collect(let seconds): return writeAgain(in: seconds)
      case .write(let group):
        do {
          try queue.record(group)
        } catch let error as QueueError where error.kind == .disk {
          if results.withLock({ $0.refused() }) { report(.refused(error)) }
          return writeAgain(in: UnwrittenResults.tryAgainAfter)
        } catch {
          return report(.broken(error as? QueueError ?? .unexpected(error)))
        }
        results.withLock { $0.written(group.count, now: MonotonicClock.now()) }
        report(.recorded(group))
      }
    }
  }

  private func writeAgain(in seconds: Double) {
    serial.asyncAfter(deadline: .now() + seconds) { @Sendable [self] in write() }
  }
}
