import Dispatch
import Logging
import RegistrationQueue
import Spool
import Synchronization

/// Looking after the spool once it is served: results that are due, lists that were written to late, old files and lists.
/// A spool that does not respond delays only this.
final class SpoolUpkeep: Sendable {
  private let queue: RegistrationQueue
  private let spool: SpoolDirectory
  private let ownership: SpoolOwnership
  private let monitor: SpoolMonitor
  private let watcher: SpoolWatcher
  private let results: ResultsWriter
  private let log: Logger
  /// For work that goes over many files of the spool.
  private let serial = DispatchQueue(label: "keyreg.upkeep")
  /// It was logged that the spool cannot be used.
  private let isSilent = Mutex(false)
  /// Comparisons of filed lists that are not over; the first is due once the spool is served.
  private let comparisons = Mutex(1)
  /// Seconds until filed lists are compared again if they could not be.
  private static let retryInterval = 5.0

  init(
    queue: RegistrationQueue, spool: SpoolDirectory, ownership: SpoolOwnership, monitor: SpoolMonitor,
    watcher: SpoolWatcher, results: ResultsWriter, log: Logger
  ) {
    self.queue = queue
    self.spool = spool
    self.ownership = ownership
    self.monitor = monitor
    self.watcher = watcher
    self.results = results
    self.log = log
  }

  /// Why nothing can be put into the spool: it does not respond, or did not at the start.
  var fault: SpoolError? { ownership.fault ?? monitor.hang }

  /// Logs when the spool can no longer be used, and when it can be again.
  func watch() {
    let fault = monitor.finding(within: 0).fault
    let isNews = isSilent.withLock { isSilent in
      defer { isSilent = fault != nil }
      return isSilent != (fault != nil)
    }
    guard isNews else { return }
    guard let fault else {
      log.notice(
        "the spool can be used again: lists are read and results written", metadata: ["spool": "\(spool.path)"])
      return
    }
    log.error(
      "no lists are taken and no results are written",
      metadata: ["detail": "\(fault)", "hint": "\(fault.hint ?? "")"])
  }

  /// Writes the results that are due, once the spool is served.
  func writeResults() {
    if ownership.isServed { results.look() }
  }

  /// Whether every write to a filed list that happened before the start, or was missed, has been noted.
  var hasCheckedFiledLists: Bool { comparisons.withLock { $0 == 0 } }

  /// Reads lists again that were written to after they had been filed.
  ///
  /// - Parameter isFirst: Called for the first time, once the spool is served.
  func checkFiledLists(isFirst: Bool = false) {
    guard ownership.isServed else { return }
    if !isFirst { comparisons.withLock { $0 += 1 } }
    serial.async { @Sendable [self] in compareFiledLists() }
  }

  /// Counts these lists no longer as rejected, unless they are still there or being read again.
  func forgetRejected(_ names: [ListName]) {
    serial.async { @Sendable [self] in
      do {
        try filedLists.forgetRejected(names)
      } catch {
        // It tries again until it has worked.
        checkFiledLists()
      }
    }
  }

  private var filedLists: FiledLists {
    FiledLists(queue: queue, spool: spool, noteWrite: watcher.noteWrite(to:), log: log)
  }

  /// Until it has worked: a write that is not noted would be lost.
  private func compareFiledLists(isRetry: Bool = false) {
    do {
      try filedLists.check()
      watcher.afterwards { @Sendable [self] in comparisons.withLock { $0 -= 1 } }
    } catch {
      if !isRetry {
        log.warning(
          "cannot compare filed lists with what was read; will try again", metadata: ["detail": "\(error)"])
      }
      serial.asyncAfter(deadline: .now() + Self.retryInterval) { @Sendable [weak self] in
        self?.compareFiledLists(isRetry: true)
      }
    }
  }

  /// Removes files that have been kept for `keep` milliseconds since their list ended, and forgets their lists.
  func sweep(keep: Int) {
    guard ownership.isServed else { return }
    defer { forgetLists(keep: keep) }
    do {
      let used = try queue.listsInUse(within: .milliseconds(keep))
      let count = try spool.sweep(keep: .milliseconds(keep), used: used) { queue.age(of: $0) }
      if count > 0 { log.info("old files of the spool were removed", metadata: ["files": "\(count)"]) }
      checkFiledLists()
    } catch {
      log.warning("old files of the spool could not be removed", metadata: ["detail": "\(error)"])
    }
  }

  private func forgetLists(keep: Int) {
    do {
      let count = try queue.forget(after: .milliseconds(keep))
      if count > 0 { log.info("old lists are no longer listed", metadata: ["lists": "\(count)"]) }
    } catch {
      log.warning("old lists could not be forgotten; will try again", metadata: ["detail": "\(error)"])
    }
  }
}
