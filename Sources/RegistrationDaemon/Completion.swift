import RegistrationQueue
import Spool

/// Whether anything is left to do, and what went wrong.
struct Completion: Sendable {
  let queue: RegistrationQueue
  let pool: WorkerPool
  let importer: Importer
  let watcher: SpoolWatcher
  let monitor: SpoolMonitor
  let spoolUpkeep: SpoolUpkeep
  let results: ResultsWriter

  /// No list waits in the spool except those that cannot be read, no key is open, and every results file is written. A
  /// spool that cannot be read, or does not respond, may not be empty.
  var isDone: Bool {
    guard isWorkDone, let finding = monitor.fresh(within: 1) else { return false }
    // Asked again: a list may have been taken during the scan of the spool.
    return finding.incoming <= unreadable && isSettled(finding.fault) && isWorkDone
  }

  private var isWorkDone: Bool { importer.isIdle && queue.tally.open == 0 && pool.isDrained }

  /// Nothing more will happen in the spool. Without permission, only an operator can change that: what it prevents is
  /// not waited for.
  private func isSettled(_ fault: SpoolError?) -> Bool {
    guard let fault else {
      return spoolUpkeep.hasCheckedFiledLists && watcher.standing.grown == 0 && queue.listTotals.active == 0
        && areResultsWritten
    }
    return fault.kind == .permission && (watcher.standing.grown == 0 || watcher.standing.fault != nil)
      && queue.listTotals.active <= importer.faults.count
      && (areResultsWritten || results.fault?.isDisk == false)
  }

  /// The results of every finished list are written.
  private var areResultsWritten: Bool {
    do {
      return try queue.listsWithoutResults().isEmpty
    } catch {
      // Unknown, so not done: this is asked again.
      return false
    }
  }

  /// What went wrong.
  var balance: Daemon.Balance {
    Daemon.Balance(
      failed: queue.tally[.failed], cancelled: queue.tally[.cancelled], rejected: importer.counts.rejected,
      unreadable: unreadable, fault: monitor.finding(within: 0).fault)
  }

  /// Lists in `incoming/` or `reading/` that cannot be read for reasons that only an operator can remove.
  private var unreadable: Int {
    watcher.standing.blockedLists + importer.faults.values.count { !$0.isDisk && $0.isInReading }
  }
}
