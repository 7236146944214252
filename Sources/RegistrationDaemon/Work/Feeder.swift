import Dispatch
import RateLimit
import Registration
import RegistrationCore
import RegistrationQueue

/// Reads due keys ahead for the core, on a dispatch queue of its own.
final class Feeder: Sendable {
  private let queue: RegistrationQueue
  private let serial = DispatchQueue(label: "keyreg.feeder")
  private let report: @Sendable (Event) -> Void
  private let broken: @Sendable (QueueError) -> Void

  /// - Parameters:
  ///   - report: Gets `Event.keys` or `Event.storeFailed` for each read, on the feeder's queue.
  ///   - broken: Called when the queue can no longer be used.
  init(
    queue: RegistrationQueue, report: @escaping @Sendable (Event) -> Void,
    broken: @escaping @Sendable (QueueError) -> Void
  ) {
    self.queue = queue
    self.report = report
    self.broken = broken
  }

  /// Reads keys. Returns at once.
  func feed(_ read: KeyRead) {
    serial.async { @Sendable [self] in
      do {
        var keys = QueuedKeys(queue: queue)
        report(.keys(try read.page(from: &keys)))
      } catch {
        let error = error as? QueueError ?? .unexpected(error)
        if error.kind == .disk { report(.storeFailed(DiskFault(.keys, error.description))) } else { broken(error) }
      }
    }
  }

  /// Runs `body` after the reads that were asked for before.
  func afterwards(_ body: @escaping @Sendable () -> Void) { serial.async(execute: body) }
}

/// The keys of the queue, as the core wants them.
private struct QueuedKeys: KeySource {
  let queue: RegistrationQueue
  let pageSize = 256

  var now: Seconds { MonotonicClock.now() }

  func secondsUntilDue() throws -> Seconds? { try queue.secondsUntilDue() }

  func dueKeys(_ read: KeyRead) throws -> [DueKey] {
    try queue.dueKeys(limit: pageSize, except: read.except, horizon: read.horizon, turn: read.turn)
  }

  func sampleKeys(_ read: KeyRead) throws -> [DueKey] { try queue.sampleKeys(limit: pageSize, except: read.except) }
}
