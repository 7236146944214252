import Glibc
import RegistrationQueue
import Systemd

/// How the daemon ends: within its time, whatever a disk does.
extension Daemon {
  /// Seconds that a stop waits for a disk that may never answer.
  private static let lastPatience = 5.0
  /// The share of stop_timeout, and the most and least of it in seconds, that the queue is left for its end.
  private static let lastShare = (0.2, most: 2.0, least: 0.3)

  /// Drains, and keeps for the next start what should be kept, all within `stop_timeout`.
  func stop(_ ending: Ending, _ housekeeping: Housekeeping) {
    let limit = Double(settings.stopTimeout) / 1_000
    let deadline = MonotonicClock.now() + limit
    let last = max(Self.lastShare.least, min(Self.lastShare.most, limit * Self.lastShare.0))
    notifier.stopping()
    // A stop_timeout longer than the unit's own limit needs no change of the unit.
    notifier.extendTimeout(seconds: limit + 15)
    log.notice("stopping", metadata: ["in_flight": "\(pool.snapshot().inFlight)"])
    watcher.stop()
    pool.stop()
    if case .broken(let error) = ending {
      log.critical("the queue cannot be used any more", metadata: ["detail": "\(error)"])
    } else {
      drain(until: deadline - last)
    }
    // Whoever still waits for the spool hears that it did not answer.
    calls.stop()
    housekeeping.stop()
    let rest = max(last, min(Self.lastPatience, deadline - MonotonicClock.now()))
    let isWritten = Patience.run(within: rest) { @Sendable [self] in
      keepLearned()
      // The last of all: the next start finds a queue that was closed.
      writeBack { queue in try queue.finish() }
    }
    if !isWritten { log.warning("the queue does not answer; the next start goes on from what is on the disk") }
    log.notice("stopped", metadata: ["open": "\(queue.tally.open)"])
  }

  /// Waits until nothing is under way and every result is on disk, or the time is over. What was not recorded then is
  /// simply still pending.
  ///
  /// - Parameter deadline: In seconds of the monotonic clock.
  private func drain(until deadline: Double) {
    let spoolDeadline = min(deadline, MonotonicClock.now() + Self.lastPatience)
    importer.stop()
    while !(pool.isDrained && importer.isIdle) {
      // The list that is being read ends at its next commit, unless the spool hangs.
      guard MonotonicClock.now() < (pool.isDrained ? spoolDeadline : deadline) else {
        if !pool.isDrained { log.warning("requests are still under way: their keys stay pending") }
        if !importer.isIdle { log.warning("a list is still being read: the next start goes on with it") }
        return
      }
      usleep(5_000)
    }
    let rest = min(Self.lastPatience, deadline - MonotonicClock.now())
    // Half of it for what is being written, half for that to end early.
    Patience.run(within: rest) { @Sendable [results] in results.finish(by: MonotonicClock.now() + rest / 2) }
  }

  /// Writes the log of the queue back while nothing else needs it.
  func tidyQueue() { writeBack { queue in try queue.checkpoint() } }

  private func writeBack(_ body: (RegistrationQueue) throws -> Void) {
    state.withLock { $0.tidyingSince = MonotonicClock.now() }
    defer { state.withLock { $0.tidyingSince = nil } }
    do {
      try body(queue)
    } catch {
      log.warning(
        "the log of the queue could not be written back; it is tried again later", metadata: ["detail": "\(error)"])
    }
  }

  /// The queue is being written back, and that is no longer than a slow disk may take.
  var isTidying: Bool {
    state.withLock { state in state.tidyingSince.map { MonotonicClock.now() - $0 < 600 } ?? false }
  }
}
