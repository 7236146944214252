import Dispatch
import Logging
import RateLimit
import RegistrationQueue
import Synchronization

/// Looking after the queue while the daemon runs: whether it is sound, what it keeps for the next start, and writing
/// back its log.
final class QueueUpkeep: Sendable {
  private enum Check {
    case none
    case running(QueueCheck)
    /// The daemon is stopping.
    case over
  }

  private let queue: RegistrationQueue
  private let pool: WorkerPool
  private let history: History
  private let log: Logger
  private let checks = DispatchQueue(label: "keyreg.check")
  private let check = Mutex(Check.none)
  /// What was stored last.
  private let kept = Mutex<(learned: WorkerPool.Learned, evidence: LimitEvidence)?>(nil)
  /// When writing back the queue began, in seconds on the monotonic clock, while it goes on.
  private let tidyingSince = Mutex<Double?>(nil)

  init(queue: RegistrationQueue, pool: WorkerPool, history: History, log: Logger) {
    self.queue = queue
    self.pool = pool
    self.history = history
    self.log = log
  }

  // MARK: The check

  /// Checks the whole queue while work goes on, after a run that did not end cleanly and every week. Damage stops all
  /// sending and writing (hold: disk).
  ///
  /// Returns at once.
  func checkQueue() {
    checks.async { @Sendable [self] in
      guard queue.isCheckDue else { return }
      do {
        let check = try QueueCheck(queue)
        guard begin(check) else { return }
        defer { end() }
        let began = MonotonicClock.now()
        log.info("checking the queue", metadata: ["bytes": "\(queue.sizeOnDisk)"])
        let ending = try check.run { part in log.debug("checking", metadata: ["part": "\(part)"]) }
        tell(ending, seconds: MonotonicClock.now() - began)
      } catch {
        log.warning("the queue could not be checked", metadata: ["detail": "\(error)"])
      }
    }
  }

  private func begin(_ new: QueueCheck) -> Bool {
    check.withLock { check in
      if case .over = check { return false }
      check = .running(new)
      return true
    }
  }

  private func end() {
    check.withLock { check in
      if case .running = check { check = .none }
    }
  }

  private func tell(_ ending: QueueCheck.Ending, seconds: Double) {
    switch ending {
    case .sound: log.notice("the queue is sound", metadata: ["seconds": "\(Int(seconds.rounded(.up)))"])
    case .stopped: return
    case .damaged(let what): log.critical("the queue is damaged", metadata: ["detail": "\(what)"])
    }
    // Makes waiting workers try again: work continues, or the daemon holds.
    pool.keysChanged()
  }

  /// Stops a check in progress, so that nobody waits for it, and lets none begin.
  func stopChecks() {
    check.withLock { check in
      if case .running(let running) = check { running.stop() }
      check = .over
    }
  }

  // MARK: For the next start

  /// Stores what the pacer learned, and the evidence for it, if there is anything new.
  func keepLearned() {
    let (learned, evidence) = (pool.learned, pool.limits.evidence)
    guard kept.withLock({ $0.map { $0 != (learned, evidence) } ?? true }) else { return }
    do {
      try queue.remember(learned.limits, named: Memory.learned)
      try queue.remember(learned.endpoint, named: Memory.learnedFrom)
      try queue.remember(Memory.zero(of: queue), named: Memory.learnedZero)
      try queue.remember(evidence, named: Memory.evidence)
      kept.withLock { $0 = (learned, evidence) }
    } catch {
      log.warning("what was learned about the rate limit could not be saved", metadata: ["detail": "\(error)"])
    }
  }

  /// Stores the minutes that are not stored yet.
  func keepHistory(isLast: Bool = false) {
    do {
      try history.save(isLast: isLast) { minutes, newest in
        try queue.keep(minutes, countedTo: newest, now: .now())
      }
    } catch {
      log.warning("the history could not be saved", metadata: ["detail": "\(error)"])
    }
  }

  /// Follows the wall clock, and logs when it was set: recorded times are then misleading.
  func watchClock() {
    do {
      let jump = try queue.watchClock()
      guard abs(jump) >= 5_000 else { return }
      log.warning(
        "the wall clock was changed; waits and retention use a clock that cannot be set",
        metadata: ["by_seconds": "\(jump / 1_000)"])
    } catch {
      // A queue that cannot be written shows when the next outcome is written; this is tried again.
      log.debug("the clock could not be saved", metadata: ["detail": "\(error)"])
    }
  }

  // MARK: Its files

  /// Has keys read if the files of the queue are gone: that shows it, even while there is no work.
  func watchFiles() {
    if queue.isDisplaced { pool.keysChanged() }
  }

  // MARK: Writing back

  /// Writes the log of the queue back while nothing else needs the queue.
  func tidy() { writeBack { queue in try queue.checkpoint() } }

  /// Stores what the next start needs, and closes the queue. Blocks for as long as the disk takes.
  func finish() {
    keepLearned()
    keepHistory(isLast: true)
    // Last of all: the next start finds a queue that was closed.
    writeBack { queue in try queue.finish() }
  }

  private func writeBack(_ body: (RegistrationQueue) throws -> Void) {
    tidyingSince.withLock { $0 = MonotonicClock.now() }
    defer { tidyingSince.withLock { $0 = nil } }
    do {
      try body(queue)
    } catch {
      log.warning(
        "cannot write back the log of the queue; will try again later", metadata: ["detail": "\(error)"])
    }
  }

  /// The queue is being written back, and this takes no longer than a slow disk may need.
  var isTidying: Bool {
    tidyingSince.withLock { since in since.map { MonotonicClock.now() - $0 < 600 } ?? false }
  }
}
