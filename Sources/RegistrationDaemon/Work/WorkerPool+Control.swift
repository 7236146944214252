package import RateLimit
import Registration
package import RegistrationCore

/// What operators and the other parts of the daemon ask of the pool.
extension WorkerPool {
  package func pause(_ pause: Pause?) { tell(.pause(pause)) }

  /// Lists or keys were added, removed or reordered.
  package func keysChanged() { tell(.keysChanged) }

  /// Accepts the API's refusals from now on, if they are why nothing is sent: `keyreg resume`.
  package func believe() { tell(.believe) }

  /// Sends nothing more. Requests in flight continue; `isDrained` shows when they and their results are done.
  package func stop() { tell(.stop) }

  /// New settings, from the next request on.
  package func apply(_ access: APIAccess, pacer: PacerSettings, retry: RetryPolicy) {
    let new = access.settings
    replace(new) { old in
      let change: CoreSettings.Change =
        old.endpoint != new.endpoint ? .endpoint : old.credentials != new.credentials ? .credentials : .none
      return .settings(access.coreSettings(pacer: pacer, retry: retry, change: change))
    }
  }

  /// Nothing is in flight, and every result is on disk.
  package var isDrained: Bool {
    drain()
    return withShell { $0.core.isSettled }
  }

  /// The key in this row is in flight.
  package func isInFlight(_ row: Int64) -> Bool { withShell { $0.core.ledger.place(of: row) == .inFlight } }

  /// The rows that are in flight, or whose result is being written. Nothing that was read ahead is sent any more.
  func rowsInFlight() -> Set<Int64> {
    keysChanged()
    return withShell { $0.core.ledger.undecided }
  }

  /// What is known of the rate limits, and of which endpoint: its base address.
  struct Learned: Equatable {
    var limits: LearnedLimits
    var endpoint: String
  }

  var learned: Learned { withShell { Learned(limits: $0.core.pacer.learned, endpoint: $0.settings.endpoint.base) } }

  /// The limits that are obeyed now, and the evidence for them.
  var limits: (obeyed: [KnownLimit], evidence: LimitEvidence) { withShell { ($0.core.pacer.limits, $0.evidence) } }

  /// Seconds that the rate limit needs at least for so many open keys.
  func leastSeconds(for keys: Int) -> Seconds {
    withShell { shell in
      let now = MonotonicClock.now()
      let standing = shell.core.pacer.standing(now: now, backlog: keys)
      return max(standing.etaSeconds ?? 0, (standing.opensAt ?? now) - now)
    }
  }

  package func snapshot() -> PoolSnapshot {
    let open = queue.tally.open
    return withShell { $0.snapshot(open: open, at: .now()) }
  }
}
