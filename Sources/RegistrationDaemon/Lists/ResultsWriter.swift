import Dispatch
import Logging
import Registration
import RegistrationQueue
import Spool
import Synchronization

/// Writes `results/NAME.csv` for every list whose last key has an outcome. The queue knows which lists those are, so a
/// kill between the last outcome and the file loses nothing.
final class ResultsWriter: Sendable {
  private struct State {
    var isLooking = false
    var looksAgain = false
    var fault: String?
    /// The disk is to blame.
    var isDisk = false
    var isStopped = false
  }

  private struct Stopped: Error {}

  /// Keys of a list for which others do not wait.
  private static let longList = 1_000
  /// Lists that are noted in one transaction once their files are in place.
  private static let groupSize = 64
  /// Seconds until the next attempt when the disk fails.
  private static let retryInterval = 5.0

  private let queue: RegistrationQueue
  private let spool: SpoolDirectory
  private let log: Logger
  private let serial = DispatchQueue(label: "keyreg.results")
  private let state = Mutex(State())
  private let keptColumns: @Sendable () -> Int
  private let announcer: Announcer?
  private let changed: @Sendable () -> Void

  /// - Parameters:
  ///   - keptColumns: Maximum columns of a list that its results repeat.
  ///   - announcer: Notifies operators of lists that are done.
  init(
    queue: RegistrationQueue, spool: SpoolDirectory, log: Logger, keptColumns: @escaping @Sendable () -> Int = { 0 },
    announcer: Announcer? = nil, changed: @escaping @Sendable () -> Void
  ) {
    self.keptColumns = keptColumns
    self.announcer = announcer
    self.queue = queue
    self.spool = spool
    self.log = log
    self.changed = changed
  }

  /// Writes the results that are due. Returns at once.
  func look() {
    let starts = state.withLock { state in
      defer { state.isLooking = true }
      state.looksAgain = state.isLooking
      return !state.isLooking
    }
    if starts { serial.async { @Sendable [self] in work() } }
  }

  /// Why results cannot be written, while they cannot.
  var fault: (text: String, isDisk: Bool)? { state.withLock { state in state.fault.map { ($0, state.isDisk) } } }

  /// Waits for what is being written, at the end of the daemon. The rest is written after the next start.
  ///
  /// - Parameter deadline: In seconds on the monotonic clock.
  func finish(by deadline: Double) {
    let done = DispatchSemaphore(value: 0)
    serial.async { @Sendable in done.signal() }
    guard done.wait(timeout: .now() + max(0, deadline - MonotonicClock.now())) == .timedOut else { return }
    state.withLock { $0.isStopped = true }
    serial.sync {}
  }

  private func work() {
    var fault: (any Error)?
    do {
      var written: [Written] = []
      for list in try queue.listsWithoutResults() {
        // Those before a long list do not wait for it.
        if written.count == Self.groupSize || list.keys.total > Self.longList { try finish(&written, &fault) }
        do {
          written.append(Written(list: list, file: try write(list)))
        } catch is Stopped {
          break
        } catch {
          // The other lists do not wait for this one.
          fault = error
        }
      }
      try finish(&written, &fault)
    } catch {
      fault = error
    }
    // Last of all, so that a reader of the status then sees whether there is a fault.
    defer { changed() }
    if let fault {
      tell(fault)
      serial.asyncAfter(deadline: .now() + Self.retryInterval) { @Sendable [self] in work() }
      return
    }
    let again = state.withLock { state in
      state.fault = nil
      defer { state.looksAgain = false }
      state.isLooking = state.looksAgain
      return state.looksAgain
    }
    if again { serial.async { @Sendable [self] in work() } }
  }

  /// A list whose results are complete, but not in place.
  private struct Written {
    var list: ListRecord
    var file: ResultsFile
  }

  /// Puts files in place, with one sync of the folder for all of them, and notes that they are there.
  private func finish(_ written: inout [Written], _ fault: inout (any Error)?) throws {
    guard !written.isEmpty else { return }
    defer { written = [] }
    var lists: [ListRecord] = []
    for (result, error) in zip(written, ResultsFile.finish(written.map(\.file))) {
      do {
        if let error { throw error }
        try spool.amendReceipt(of: result.list)
        lists.append(result.list)
      } catch {
        fault = error
      }
    }
    try spool.syncResults()
    let news = lists.flatMap { announcer?.due(Announcement(done: $0, at: .now())) ?? [] }
    let dropped = try queue.resultsWritten(lists, at: .now(), telling: news)
    announcer?.wereKept(dropped: dropped)
    lists.forEach(tell)
  }

  private func tell(_ list: ListRecord) {
    var metadata: Logger.Metadata = [
      "list": "\(list.name)", "registered": "\(list.keys[.registered])", "failed": "\(list.keys[.failed])",
      "cancelled": "\(list.keys[.cancelled])",
    ]
    if let stop = list.stop { metadata["detail"] = "\(stop.detail)" }
    log.notice(list.cancelledAt == nil ? "list done" : "list cancelled", metadata: metadata)
  }

  private func write(_ list: ListRecord) throws -> ResultsFile {
    let content = ResultsContent(queue: queue, spool: spool, list: list, keptColumns: keptColumns()) { [self] in
      if state.withLock({ $0.isStopped }) { throw Stopped() }
    }
    let file = try content.write()
    try file.beginSync()
    return file
  }

  /// Logs each fault once; writing is tried again until it works.
  private func tell(_ error: any Error) {
    let text = "results cannot be written: \(error)"
    let isDisk = (error as? SpoolError)?.isDiskFault ?? (error is QueueError)
    let isNews = state.withLock { state in
      defer { (state.fault, state.isDisk) = (text, isDisk) }
      return state.fault != text
    }
    if isNews { log.error("results cannot be written yet", metadata: ["detail": "\(error)"]) }
  }
}
