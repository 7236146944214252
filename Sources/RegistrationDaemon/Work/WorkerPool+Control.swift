package import RateLimit
package import Registration
package import RegistrationCore

/// The pool at one moment, for status and metrics.
package struct PoolSnapshot: Sendable {
  /// Why nothing more is sent; nil while every worker is busy.
  package var standstill: Standstill?
  package var standing: Standing
  package var statistics: Statistics
  package var inFlight: Int
  package var busy: Int
  package var size: Int
  package var pause: Pause?
  /// Why the daemon itself holds, and what was last said about it.
  package var hold: (reason: String, detail: String)?
  package var isStopping: Bool
  package var lastError: (at: Timestamp, message: String)?
  /// Seconds until the pacer lets the next request go, nil when it lets one go now.
  package var waitsFor: Seconds?
  /// Outcomes a second over the last minute.
  package var perSecond: Double
}

extension WorkerPool {
  package func pause(_ pause: Pause?) { tell(.pause(pause)) }

  /// Lists or keys came, went or changed their order.
  package func keysChanged() { tell(.keysChanged) }

  /// What the API says of every key is believed from now on, if that is why nothing is sent.
  package func believe() { tell(.believe) }

  /// Sends nothing more. Requests under way go on; `isDrained` tells when they and their results are done.
  package func stop() { tell(.stop) }

  /// New settings, from the next request on.
  package func apply(_ access: APIAccess, pacer: PacerSettings, retry: RetryPolicy) {
    let api = access.settings
    let isNew = shell.withLock { shell in
      defer { shell.settings = api }
      return shell.settings.credentials != api.credentials || shell.settings.endpoint != api.endpoint
    }
    tell(.settings(access.coreSettings(pacer: pacer, retry: retry, isNew: isNew)))
  }

  /// Nothing is under way, and every result is on disk.
  package var isDrained: Bool {
    drain()
    return shell.withLock { $0.core.isSettled }
  }

  /// The row is being worked on.
  package func isInFlight(_ row: Int64) -> Bool { shell.withLock { $0.core.ledger.place(of: row) == .inFlight } }

  package var learned: LearnedLimits { shell.withLock { $0.core.pacer.learned } }

  package func snapshot() -> PoolSnapshot {
    let open = queue.tally.open
    let moment = Moment.now()
    return shell.withLock { shell in
      let core = shell.core
      var hold = core.holds.hold.map { (reason: $0.reason.rawValue, detail: $0.sentence(now: moment.wall)) }
      if let fault = core.diskFault { hold = ("disk", fault) }
      var statistics = shell.statistics
      if let name = core.standstill?.name {
        statistics.waited(max(0, moment.now - shell.standingSince), for: name)
      }
      let standing = core.pacer.standing(now: moment.now, backlog: max(0, open - core.inHand))
      return PoolSnapshot(
        standstill: core.standstill, standing: standing, statistics: statistics, inFlight: core.inHand,
        busy: core.busy, size: core.workers, pause: core.pause, hold: hold, isStopping: core.isStopping,
        lastError: shell.lastError, waitsFor: standing.opensAt.map { max(0, $0 - moment.now) },
        perSecond: statistics.perSecond(now: moment.now))
    }
  }
}
