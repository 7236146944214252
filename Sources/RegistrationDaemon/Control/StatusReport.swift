import ControlAPI
import Glibc
import Registration
import RegistrationCore
import RegistrationQueue

/// The status document, put together from what is kept in memory: it costs the same for any number of keys.
struct StatusReport {
  let version: String
  let startedAt: Timestamp
  let instance: Instance

  /// What is not the pool's: queue, spool and the parts that read and write lists.
  struct Surroundings {
    var tally: Tally
    var openProgress: OpenProgress
    var lists: ListTotals
    var spool: SpoolLook.Finding
    /// Lists that cannot be taken in for now.
    var blocked: Int
    var isImporting: Bool
    /// Why lists cannot be taken in, or results not be written.
    var listFault: String?
    /// The same, when the disk is to blame.
    var diskFault: String?
    var endpoint: String

    /// Why lists cannot be taken in or results not be written, the first of the reasons that there are.
    var trouble: String? {
      diskFault ?? spool.fault.map { $0.message + ($0.hint.map { " (\($0))" } ?? "") } ?? listFault
    }
    /// What is to blame is the disk, or the spool as a whole, and no single list.
    var isDiskTrouble: Bool { diskFault != nil || spool.fault != nil }
  }

  /// Since when the daemon is in its state, as far as it was asked.
  private let states = StateClock()

  func document(_ pool: PoolSnapshot, _ around: Surroundings, now: Timestamp) -> StatusDocument {
    let keys = Self.keys(around.tally, inHand: pool.inFlight)
    let (state, reason) = Self.state(pool, keys: keys, around, now: now)
    let hold = pool.hold?.reason ?? (!Self.isOpen(keys) && around.isDiskTrouble ? "disk" : nil)
    return StatusDocument(
      version: version, pid: Int(getpid()), startedAt: startedAt, now: now, state: state, reason: reason, keys: keys,
      lists: .init(
        total: around.lists.total, active: around.lists.active, incoming: around.spool.incoming,
        blocked: around.blocked, rejected: around.lists.rejected, finishing: around.lists.finishing),
      progress: Self.progress(pool, around, state: state), rateLimit: Self.rateLimit(pool),
      requests: Self.requests(pool.statistics), workers: .init(total: pool.size, busy: pool.busy),
      hold: hold.flatMap(StatusDocument.Hold.init(rawValue:)),
      since: states.since(state, pool.pause.map { state == .paused ? $0.since : now } ?? now),
      instance: instance.name, endpoint: around.endpoint, lastSuccessAt: pool.statistics.lastSuccessAt,
      lastError: pool.lastError.map { .init(at: $0.at, message: $0.message) })
  }

  /// Keys in hand are stored as pending or retrying: they are taken from there, so that the sum holds at any instant.
  private static func keys(_ tally: Tally, inHand: Int) -> StatusDocument.Keys {
    let fromPending = min(inHand, tally[.pending])
    let fromRetrying = min(inHand - fromPending, tally[.retrying])
    return StatusDocument.Keys(
      pending: tally[.pending] - fromPending, inFlight: fromPending + fromRetrying,
      retrying: tally[.retrying] - fromRetrying, registered: tally[.registered], failed: tally[.failed],
      cancelled: tally[.cancelled])
  }

  private static func state(
    _ pool: PoolSnapshot, keys: StatusDocument.Keys, _ around: Surroundings, now: Timestamp
  ) -> (StatusDocument.State, String?) {
    switch pool.standstill {
    case .stopping: return (.stopping, nil)
    case .paused(let pause): return (.paused, Self.sentence(pause.reason, around.trouble))
    case .disk(let words): return (.holding, words)
    case .hold(let hold): return (.holding, hold.sentence(now: now))
    case .recording, .inquiry, .limit, .reply, .nothingDue, nil: break
    }
    guard Self.isOpen(keys) else {
      // Nothing else is to do, and nobody would look for the reason.
      if let trouble = around.trouble { return (around.isDiskTrouble ? .holding : .waiting, trouble) }
      return (around.isImporting || around.lists.finishing > 0 ? .working : .idle, nil)
    }
    // Known keys are worked on though the spool cannot be used: their outcomes are safe in the queue, and their results are
    // written later. So this is no hold, but the reason tells it.
    let trouble = around.isDiskTrouble ? around.trouble : nil
    if pool.busy == 0 {
      if let wait = pool.waitsFor, wait >= 1 {
        return (.waiting, Self.sentence("for the rate limit, until \(now.adding(seconds: wait))", trouble))
      }
      if keys.pending == 0 {
        return (.waiting, Self.sentence("for the next attempt of \(keys.retrying) keys", trouble))
      }
    }
    return (.working, trouble)
  }

  private static func isOpen(_ keys: StatusDocument.Keys) -> Bool { keys.pending + keys.inFlight + keys.retrying > 0 }

  private static func sentence(_ parts: String?...) -> String? {
    let parts = parts.compactMap(\.self)
    return parts.isEmpty ? nil : parts.joined(separator: "; ")
  }

  private static func progress(
    _ pool: PoolSnapshot, _ around: Surroundings, state: StatusDocument.State
  ) -> StatusDocument.Progress {
    let tally = around.tally
    let open = tally.open == 0 ? OpenProgress(done: tally.done, total: tally.total) : around.openProgress
    let rate = pool.perSecond
    var eta: Int?
    var source: String?
    if tally.open == 0 {
      eta = 0
    } else if state == .paused || state == .holding {
      // Nobody knows how long.
    } else if let seconds = pool.standing.etaSeconds, seconds.isFinite, pool.standing.limit != nil {
      (eta, source) = (Int(min(seconds, 1e9).rounded(.up)), "rate_limit")
    } else if rate > 0 {
      (eta, source) = (Int(min(Double(tally.open) / rate, 1e9).rounded(.up)), "throughput")
    }
    return StatusDocument.Progress(
      done: open.done, fraction: open.total == 0 ? 0 : Double(open.done) / Double(open.total),
      perSecond: (rate * 100).rounded() / 100, etaSeconds: eta, etaFrom: source)
  }

  private static func rateLimit(_ pool: PoolSnapshot) -> StatusDocument.RateLimit {
    let standing = pool.standing
    return StatusDocument.RateLimit(
      name: standing.name.map { PrintableText.escape($0) }, limit: standing.limit,
      periodSeconds: standing.period.map { Int(min($0, 1e9).rounded()) }, remaining: standing.remaining,
      resetsInSeconds: standing.resetsIn.map { Int(min(max(0, $0), 1e9).rounded(.up)) },
      reserved: standing.limit == nil ? nil : standing.reserved, source: standing.source.rawValue,
      waitingSeconds: ((pool.waitsFor ?? 0) * 1_000).rounded() / 1_000)
  }

  private static func requests(_ statistics: Statistics) -> StatusDocument.Requests {
    let latency =
      statistics.hasLatency
      ? StatusDocument.Latency(
        p50: statistics.latency(percentile: 50), p90: statistics.latency(percentile: 90),
        p99: statistics.latency(percentile: 99), max: statistics.slowest)
      : StatusDocument.Latency()
    return StatusDocument.Requests(
      sent: statistics.sent, created: statistics.created, throttled: statistics.throttled,
      clientErrors: statistics.clientErrors, serverErrors: statistics.serverErrors,
      transportErrors: statistics.transportErrors, latency: latency)
  }
}
