import Glibc
import RegistrationQueue
import Systemd

/// How the daemon ends: in time, whatever a disk does.
extension Daemon {
  /// Seconds that a stop waits for a disk that may never respond.
  private static let lastPatience = 5.0
  /// Seconds that a stop waits for the last list's notification; otherwise the next start delivers it.
  private static let announcingPatience = 2.0
  /// The share of stop_timeout, with its maximum and minimum in seconds, that is left for closing the queue.
  private static let lastShare = (0.2, most: 2.0, least: 0.3)

  /// Finishes requests in flight, and stores what the next start needs, all within `stop_timeout`.
  func stop(_ ending: Ending, _ alarms: [Alarm]) {
    let limit = Double(settings.current.stopTimeout) / 1_000
    let deadline = MonotonicClock.now() + limit
    let last = max(Self.lastShare.least, min(Self.lastShare.most, limit * Self.lastShare.0))
    notifier.stopping()
    // A stop_timeout longer than the unit's own limit needs no change of the unit.
    notifier.extendTimeout(seconds: limit + 15)
    log.notice("stopping", metadata: ["in_flight": "\(pool.snapshot().inFlight)"])
    watcher.stop()
    pool.stop()
    if case .broken(let error) = ending {
      log.critical("the queue can no longer be used", metadata: ["detail": "\(error)"])
    } else {
      drain(until: deadline - last)
    }
    // Callers that still wait for the spool learn that it did not respond.
    calls.stop()
    for alarm in alarms { alarm.cancel() }
    reports.noteHistory()
    announcer.finish(within: min(Self.announcingPatience, deadline - last - MonotonicClock.now()))
    let rest = max(last, min(Self.lastPatience, deadline - MonotonicClock.now()))
    let isWritten = BoundedWait.run(within: rest) { @Sendable [queueUpkeep] in queueUpkeep.finish() }
    if !isWritten { log.warning("the queue does not respond; the next start continues from what is on disk") }
    log.notice("stopped", metadata: ["open": "\(queue.tally.open)"])
  }

  /// Waits until nothing is in flight and every result is on disk, or the time is up. What was not recorded by then
  /// is simply still pending.
  ///
  /// - Parameter deadline: In seconds on the monotonic clock.
  private func drain(until deadline: Double) {
    let spoolDeadline = min(deadline, MonotonicClock.now() + Self.lastPatience)
    importer.stop()
    while !(pool.isDrained && importer.isIdle) {
      // The list that is being read ends at its next commit, unless the spool hangs.
      guard MonotonicClock.now() < (pool.isDrained ? spoolDeadline : deadline) else {
        if !pool.isDrained { log.warning("requests are still in flight: their keys stay pending") }
        if !importer.isIdle { log.warning("a list is still being read: the next start continues with it") }
        return
      }
      usleep(5_000)
    }
    let rest = min(Self.lastPatience, deadline - MonotonicClock.now())
    // Half of it for what is being written, half for stopping that early.
    BoundedWait.run(within: rest) { @Sendable [results] in results.finish(by: MonotonicClock.now() + rest / 2) }
  }
}
