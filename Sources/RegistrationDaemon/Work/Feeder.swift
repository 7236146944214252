import Dispatch
import RateLimit
import RegistrationCore
import RegistrationQueue

/// Reads due keys ahead for the core, on a dispatch queue of its own.
final class Feeder: Sendable {
  /// Keys that are read ahead at once.
  private static let readAhead = 256
  /// The shortest wait for the next due key, in seconds: one that is due already was in this read, or is in the next.
  private static let shortestWait: Seconds = 0.01

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
        report(.keys(try page(read)))
      } catch {
        let error = error as? QueueError ?? .unexpected(error)
        if error.kind == .disk { report(.storeFailed(DiskFault(.keys, error.description))) } else { broken(error) }
      }
    }
  }

  private func page(_ read: KeyRead) throws -> KeyPage {
    // The due time is read first: a key that becomes due between the two reads is then in both, not in neither.
    let nextWait = try queue.secondsUntilDue()
    var keys = read.isSample ? try queue.sampleKeys(limit: Self.readAhead, except: read.except) : []
    // If only keys are left that have been tried, they are the canaries.
    if keys.isEmpty {
      keys = try queue.dueKeys(
        limit: Self.readAhead, except: read.except, horizon: read.horizon, turn: read.turn)
    }
    let isAll = keys.count < Self.readAhead
    let nextDue = (isAll ? nextWait : nil).map {
      MonotonicClock.now() + min(read.horizon, max(Self.shortestWait, $0))
    }
    return KeyPage(keys, isAll: isAll, nextDue: nextDue, generation: read.generation)
  }

  /// Runs `body` after the reads that were asked for before.
  func afterwards(_ body: @escaping @Sendable () -> Void) { serial.async(execute: body) }
}
