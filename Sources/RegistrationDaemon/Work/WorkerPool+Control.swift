import Dispatch
package import RateLimit
package import Registration
import RegistrationAPI

/// A pause by the operator, as it is kept over restarts.
package struct Pause: Codable, Sendable, Hashable {
  package var reason: String?
  package var since: Timestamp

  package init(reason: String?, since: Timestamp) {
    self.reason = reason
    self.since = since
  }
}

/// The pool at one moment, for status and metrics.
package struct PoolSnapshot: Sendable {
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
  package func pause(_ pause: Pause?) {
    state.withLock { $0.pause = pause }
    pump()
    changed()
  }

  /// Lists or keys came, went or changed their order.
  package func keysChanged() {
    state.withLock { $0.scheduler.keysChanged() }
    pump()
    changed()
  }

  /// New settings, from the next request on.
  package func apply(_ access: APIAccess, pacer: PacerSettings, retry: RetryPolicy) {
    let api = access.settings
    let events = state.withLock { state in
      let isNew = state.settings.credentials != api.credentials || state.settings.endpoint != api.endpoint
      state.settings = api
      state.size = pacer.workers
      state.retryHorizon = Self.horizon(retry)
      let settlement = state.scheduler.reloaded(
        pacer: pacer, retry: retry, registrar: access.registrar, canary: access.canary, isNew: isNew,
        at: Moment(now: MonotonicClock.now(), wall: .now()))
      record(settlement)
      return settlement.events
    }
    tell(events)
    pump()
    changed()
  }

  /// What the API says of every key is believed from now on, if that is why nothing is sent.
  package func believe() {
    let events = state.withLock { state in
      let settlement = state.scheduler.believe(at: Moment(now: MonotonicClock.now(), wall: .now()))
      record(settlement)
      return settlement.events
    }
    tell(events)
    pump()
    changed()
  }

  /// Sends nothing more. Requests under way go on; `isDrained` tells when they and their results are done.
  package func stop() {
    state.withLock { $0.isStopping = true }
    changed()
  }

  /// Nothing is under way, and every result is on disk.
  package var isDrained: Bool { state.withLock { $0.scheduler.isSettled } }

  /// The row is being worked on.
  package func isInFlight(_ row: Int64) -> Bool {
    state.withLock { state in
      state.scheduler.inFlight.values.contains { $0.key.row == row && !$0.isKnownGood }
    }
  }

  /// Calls `done` once the recorder, the reader of keys and the pacer have each had a turn.
  package func heartbeat(_ done: @escaping @Sendable () -> Void) {
    afterWrites { @Sendable [self] in
      feeder.async { @Sendable [self] in
        pump()
        done()
      }
    }
  }

  package var learned: LearnedLimits { state.withLock { $0.scheduler.pacer.learned } }

  package func snapshot() -> PoolSnapshot {
    let backlog = queue.tally.open
    let now = MonotonicClock.now()
    return state.withLock { state in
      let scheduler = state.scheduler
      var hold = scheduler.holds.hold.map { (reason: $0.reason.rawValue, detail: $0.sentence(now: .now())) }
      if let fault = state.writeFault ?? state.readFault { hold = ("disk", fault) }
      var statistics = state.statistics
      if let reason = state.waitReason { statistics.waited(max(0, now - state.waitingSince), for: reason) }
      let standing = scheduler.pacer.standing(now: now, backlog: max(0, backlog - scheduler.inHand))
      return PoolSnapshot(
        standing: standing, statistics: statistics, inFlight: scheduler.inHand, busy: state.busy.count,
        size: state.size,
        pause: state.pause, hold: hold, isStopping: state.isStopping, lastError: state.lastError,
        waitsFor: standing.opensAt.map { max(0, $0 - now) }, perSecond: statistics.perSecond(now: now))
    }
  }
}

extension Verdict {
  /// One line about what went wrong, nil when nothing did.
  var trouble: String? {
    switch self {
    case .registered: nil
    case .failed(let status, let title, let detail): Fault(status: status, title: title, detail: detail).summary
    case .stale: "a kept-alive connection was dead"
    case .throttled: "429: the rate limit was reached"
    case .unauthorized(let detail): Fault(status: 401, title: "Unauthorized", detail: detail).summary
    case .forbidden(let title, let detail): Fault(status: 403, title: title, detail: detail).summary
    case .unsettled(let status, let title, let detail): Fault(status: status, title: title, detail: detail).summary
    case .unanswered(let title, let detail): Fault(status: nil, title: title, detail: detail).summary
    case .misdirected(let status, let title, let detail): Fault(status: status, title: title, detail: detail).summary
    }
  }
}
