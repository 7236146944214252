import Dispatch
package import Registration
package import RegistrationQueue
import Synchronization

/// Hands results to the queue in groups: while one commit waits for the disk, the next group gathers.
///
/// A result that cannot be written stays in memory and is tried again every second; the pool sends nothing meanwhile.
package final class Recorder: Sendable {
  package enum Report: Sendable {
    /// These are on disk.
    case recorded([KeyResult])
    /// The disk refuses; nothing is lost while the process lives.
    case refused(QueueError)
    /// The queue is beyond repair by waiting.
    case broken(QueueError)
  }

  private struct State {
    var waiting: [KeyResult] = []
    var isRunning = false
    var isRefused = false
  }

  /// The most results in one transaction: bounds the time that others wait for the writer.
  private static let groupSize = 1_000

  private let queue: RegistrationQueue
  private let serial = DispatchQueue(label: "keyreg.recorder")
  private let state = Mutex(State())
  private let report: @Sendable (Report) -> Void

  /// `report` is called on the recorder's own queue.
  package init(queue: RegistrationQueue, report: @escaping @Sendable (Report) -> Void) {
    self.queue = queue
    self.report = report
  }

  package func record(_ results: [KeyResult]) {
    guard !results.isEmpty else { return }
    let starts = state.withLock { state in
      state.waiting += results
      defer { state.isRunning = true }
      return !state.isRunning
    }
    if starts { serial.async { @Sendable [self] in drain() } }
  }

  /// Runs `body` behind everything that is being written now.
  package func afterwards(_ body: @escaping @Sendable () -> Void) {
    serial.async(execute: body)
  }

  private func drain() {
    while true {
      let group = state.withLock { state -> [KeyResult] in
        if state.waiting.isEmpty { state.isRunning = false }
        return Array(state.waiting.prefix(Self.groupSize))
      }
      guard !group.isEmpty else { return }
      do {
        try queue.record(group)
        state.withLock { state in
          state.waiting.removeFirst(group.count)
          state.isRefused = false
        }
        report(.recorded(group))
      } catch let error as QueueError where error.kind == .disk {
        let isNews = state.withLock { state in
          defer { state.isRefused = true }
          return !state.isRefused
        }
        if isNews { report(.refused(error)) }
        serial.asyncAfter(deadline: .now() + 1) { @Sendable [self] in drain() }
        return
      } catch {
        report(.broken(error as? QueueError ?? .unexpected(error)))
        return
      }
    }
  }
}
