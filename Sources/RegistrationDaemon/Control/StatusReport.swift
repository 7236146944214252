import ControlAPI
import Glibc
import Registration
import RegistrationQueue

/// The status document, put together from what is kept in memory: it costs the same for any number of keys.
struct StatusReport {
  let version: String
  let startedAt: Timestamp

  func document(
    _ pool: PoolSnapshot, tally: Tally, lists: ListTotals, incoming: Int, isImporting: Bool, diskFault: String?,
    listFault: String?, now: Timestamp
  ) -> StatusDocument {
    let keys = Self.keys(tally, inHand: pool.inFlight)
    let (state, reason) = Self.state(
      pool, keys: keys, isImporting: isImporting, diskFault: diskFault, listFault: listFault, now: now)
    let hold = pool.hold?.reason ?? diskFault.map { _ in "disk" }
    return StatusDocument(
      version: version, pid: Int(getpid()), startedAt: startedAt, now: now, state: state, reason: reason, keys: keys,
      lists: .init(total: lists.total, active: lists.active, incoming: incoming), progress: Self.progress(pool, tally),
      rateLimit: Self.rateLimit(pool), requests: Self.requests(pool.statistics),
      workers: .init(total: pool.size, busy: pool.busy), hold: hold.flatMap(StatusDocument.Hold.init(rawValue:)),
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
    _ pool: PoolSnapshot, keys: StatusDocument.Keys, isImporting: Bool, diskFault: String?, listFault: String?,
    now: Timestamp
  ) -> (StatusDocument.State, String?) {
    if pool.isStopping { return (.stopping, nil) }
    if let pause = pool.pause { return (.paused, pause.reason) }
    if let hold = pool.hold { return (.holding, hold.detail) }
    if let diskFault { return (.holding, diskFault) }
    guard keys.pending + keys.inFlight + keys.retrying > 0 else {
      // Nothing else is to do, and nobody would look for the reason.
      if let listFault { return (.waiting, listFault) }
      return (isImporting ? .working : .idle, nil)
    }
    if pool.busy == 0 {
      if let wait = pool.waitsFor, wait >= 1 {
        return (.waiting, "for the rate limit, until \(now.adding(seconds: wait))")
      }
      if keys.pending == 0 { return (.waiting, "for the next attempt of \(keys.retrying) keys") }
    }
    return (.working, nil)
  }

  private static func progress(_ pool: PoolSnapshot, _ tally: Tally) -> StatusDocument.Progress {
    let rate = pool.perSecond
    var eta: Int?
    var source: String?
    if tally.open == 0 {
      eta = 0
    } else if let seconds = pool.standing.etaSeconds, seconds.isFinite, pool.standing.limit != nil {
      (eta, source) = (Int(min(seconds, 1e9).rounded(.up)), "rate_limit")
    } else if rate > 0 {
      (eta, source) = (Int(min(Double(tally.open) / rate, 1e9).rounded(.up)), "throughput")
    }
    return StatusDocument.Progress(
      done: tally.done, fraction: tally.total == 0 ? 0 : Double(tally.done) / Double(tally.total),
      perSecond: (rate * 100).rounded() / 100, etaSeconds: eta, etaFrom: source)
  }

  private static func rateLimit(_ pool: PoolSnapshot) -> StatusDocument.RateLimit {
    let standing = pool.standing
    return StatusDocument.RateLimit(
      name: standing.name.map { PrintableText.escape($0) }, limit: standing.limit,
      periodSeconds: standing.period.map { Int($0.rounded()) }, remaining: standing.remaining,
      resetsInSeconds: standing.resetsIn.map { Int(max(0, $0).rounded(.up)) },
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
