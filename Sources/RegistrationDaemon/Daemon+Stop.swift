import Glibc
import RegistrationQueue
import Systemd

/// How the daemon ends: within its time, whatever a disk does.
extension Daemon {
  /// Seconds that a stop waits for a disk that may never answer.
  private static let lastPatience = 5.0

  /// Drains, and keeps for the next start what should be kept.
  ///
  /// - Parameter stopWatching: Ends the watcher. It may wait for a look into the spool.
  func stop(_ ending: Ending, _ housekeeping: Housekeeping, stopWatching: @escaping @Sendable () -> Void) {
    let limit = Double(settings.stopTimeout) / 1_000
    notifier.stopping()
    // A stop_timeout longer than the unit's own limit needs no change of the unit.
    notifier.extendTimeout(seconds: limit + 15)
    log.notice("stopping", metadata: ["in_flight": "\(pool.snapshot().inFlight)"])
    Patience.run(within: 1, stopWatching)
    pool.stop()
    if case .broken(let error) = ending {
      log.critical("the queue cannot be used any more", metadata: ["detail": "\(error)"])
    } else {
      drain(within: limit)
    }
    housekeeping.stop()
    let isWritten = Patience.run(within: Self.lastPatience) { @Sendable [self] in
      keepLearned()
      // The last of all: the next start finds a queue that was closed.
      writeBack { queue in try queue.finish() }
    }
    if !isWritten { log.warning("the queue does not answer; the next start goes on from what is on the disk") }
    log.notice("stopped", metadata: ["open": "\(queue.tally.open)"])
  }

  /// Waits until nothing is under way and every result is on disk, or the time is over. What was not recorded then is
  /// simply still pending.
  private func drain(within limit: Double) {
    let begun = MonotonicClock.now()
    importer.stop()
    while !(pool.isDrained && importer.isIdle) {
      let waited = MonotonicClock.now() - begun
      // The list that is being read ends at its next commit, unless the spool hangs.
      guard waited < (pool.isDrained ? min(limit, Self.lastPatience) : limit) else {
        if !pool.isDrained { log.warning("requests are still under way: their keys stay pending") }
        if !importer.isIdle { log.warning("a list is still being read: the next start goes on with it") }
        return
      }
      usleep(5_000)
    }
    let rest = max(0, min(Self.lastPatience, begun + limit - MonotonicClock.now()))
    Patience.run(within: rest + 1) { @Sendable [results] in results.finish(by: MonotonicClock.now() + rest) }
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
