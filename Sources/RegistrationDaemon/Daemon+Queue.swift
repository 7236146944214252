import Dispatch
import Logging
import Registration
import RegistrationQueue
import Spool
import Synchronization
import Systemd

/// Looking after the queue itself: whether it is sound, and what to do when it is not.
extension Daemon {
  /// Opens the queue, unless what is there, or is not, must not be worked on.
  ///
  /// - Parameter spool: Nil while it does not answer: what it tells of an earlier queue is looked at when it does.
  static func openQueue(
    _ directory: StateDirectory, spool: SpoolDirectory?, options: Options, notifier: ServiceNotifier, _ log: Logger
  ) throws -> (queue: RegistrationQueue, isUnproven: Bool) {
    let history = spool.map(SpoolHistory.init(spool:))
    let queue = try RegistrationQueue(
      path: directory.queuePath, isNewMeant: options.isNewQueueMeant, isOlderMeant: options.isOlderQueueMeant,
      evidence: { known in try history?.evidence(against: known) })
    let isUnproven = spool == nil
    if options.isNewQueueMeant, queue.tally.total > 0 {
      log.warning("there is a queue: --new-queue means nothing, and is to be left out")
    }
    guard queue.isSuspect else { return (queue, isUnproven) }
    log.warning("an earlier run found the queue damaged: it is looked through before any work")
    let ending = try QueueCheck(queue).run { _ in notifier.extendTimeout(seconds: Self.longestPart) }
    if case .damaged(let what) = ending { throw QueueError.stillDamaged(what) }
    log.notice("the queue is sound")
    return (queue, isUnproven)
  }

  /// Seconds that systemd is asked to wait for one part of a look through the queue; more than ten million keys take.
  private static let longestPart = 900.0

  var queuePath: String { directory.queuePath }

  /// Looks the whole queue through beside the work, after a run that did not end well, and every week. Damage ends all
  /// sending and writing (hold: disk).
  ///
  /// Returns at once.
  func checkQueue() {
    checks.async { @Sendable [self] in
      guard queue.isCheckDue else { return }
      do {
        let check = try QueueCheck(queue)
        let isStopping = self.check.withLock { slot in
          slot = check
          return state.withLock { $0.ending != nil }
        }
        if isStopping { return }
        let began = MonotonicClock.now()
        log.info("the queue is looked through", metadata: ["bytes": "\(queue.sizeOnDisk)"])
        let ending = try check.run { part in log.debug("looking through", metadata: ["part": "\(part)"]) }
        tell(ending, seconds: MonotonicClock.now() - began)
      } catch {
        log.warning("the queue could not be looked through", metadata: ["detail": "\(error)"])
      }
    }
  }

  private func tell(_ ending: QueueCheck.Ending, seconds: Double) {
    switch ending {
    case .sound: log.notice("the queue is sound", metadata: ["seconds": "\(Int(seconds.rounded(.up)))"])
    case .stopped: return
    case .damaged(let what): log.critical("the queue is damaged", metadata: ["detail": "\(what)"])
    }
    // Whoever waits for work looks again: it is there again, or the daemon holds.
    pool.keysChanged()
  }

  /// Ends a look that is under way, so that nobody waits for it.
  func stopCheck() {
    check.withLock { $0 }?.stop()
  }

  /// What an earlier run has kept, unless it does not read: that is told and learned again.
  static func recall<Value: Decodable>(
    _ type: Value.Type, named name: String, from queue: RegistrationQueue, _ log: Logger
  ) throws -> Value? {
    try queue.recall(type, named: name) { why in
      log.warning(
        "what was kept does not read and is ignored",
        metadata: ["name": "\(name)", "detail": "\(PrintableText.escape(why))"])
    }
  }

  /// Keeps what the pacer learned for the next start.
  func keepLearned() {
    let learned = pool.learned
    guard kept.withLock({ $0 }) != learned else { return }
    do {
      try queue.remember(learned, named: Memory.learned)
      kept.withLock { $0 = learned }
    } catch {
      log.warning("what was learned of the rate limit could not be kept", metadata: ["detail": "\(error)"])
    }
  }

  /// Follows the wall clock, and says when it was set: times in the record are not what they seem then.
  func watchClock() {
    do {
      let jump = try queue.watchClock()
      guard abs(jump) >= 5_000 else { return }
      log.warning(
        "the wall clock was set; waiting and keeping go by a clock that cannot be",
        metadata: ["by_seconds": "\(jump / 1_000)"])
    } catch {
      // A queue that cannot be written is told by whoever has an outcome to write; this is tried again.
      log.debug("the clock could not be kept", metadata: ["detail": "\(error)"])
    }
  }
}
