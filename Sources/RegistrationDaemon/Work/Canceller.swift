import Dispatch
import RegistrationCore
import RegistrationQueue
import Synchronization

/// Cancels keys of cancelled and stopped lists, on a dispatch queue of its own.
final class Canceller: Sendable {
  private let queue: RegistrationQueue
  private let serial = DispatchQueue(label: "keyreg.cancels")
  private let turns = Mutex(CancelTurns())
  private let settled: @Sendable () -> Void

  /// - Parameter settled: Called after each cancel, which may have finished a list.
  init(queue: RegistrationQueue, settled: @escaping @Sendable () -> Void) {
    self.queue = queue
    self.settled = settled
  }

  /// Cancels what is to be cancelled after a batch of events.
  ///
  /// - Parameter hasCommitted: A commit, which may have stopped a list, is among them.
  func look(after hasCommitted: Bool, _ ledger: KeyLedger, in pool: WorkerPool) {
    let hasStopped = hasCommitted && queue.takeStops()
    let hasReturned = queue.hasReturned(isInFlight: ledger.isUndecided)
    guard let turn = turns.withLock({ $0.next(hasStopped: hasStopped, hasReturned: hasReturned) }) else { return }
    serial.async { @Sendable [self] in
      // The recorder says what is wrong with the disk. The cancel is repeated later, or by the next start.
      let isDone = (try? cancel(turn, in: pool)) != nil
      turns.withLock { $0.ended() }
      // Some of what stopped lists have left may be cancelled. Keys that are back are not tried again at once.
      guard isDone || turn == .stopped else { return }
      pool.keysChanged()
      settled()
    }
  }

  private func cancel(_ turn: CancelTurns.Turn, in pool: WorkerPool) throws {
    switch turn {
    case .stopped: try queue.finishCancels(at: .now(), step: pool.keysChanged, inFlight: pool.rowsInFlight)
    case .returned:
      let undecided = pool.withShell { $0.core.ledger.undecided }
      try queue.cancelReturned(at: .now(), isInFlight: undecided.contains)
    }
  }
}
