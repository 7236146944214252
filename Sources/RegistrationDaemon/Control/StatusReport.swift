import ControlAPI
import Glibc
import RateLimit
import Registration
import RegistrationCore
import RegistrationQueue

/// The status document, built from values in memory: it costs the same for any number of keys.
struct StatusReport {
  let version: String
  let startedAt: Timestamp
  let instance: Instance

  /// What does not come from the pool: the queue, the spool and the parts that read and write lists.
  struct Surroundings {
    var tally: Tally
    var openProgress: OpenProgress
    /// Seconds until the last key that waits for another attempt is due; nil when none waits.
    var lastDueIn: Seconds?
    var lists: ListTotals
    var newestOutcome: Int64 = 0
    var spool: SpoolMonitor.Finding
    /// What cannot be taken for now.
    var blocked: Int
    /// Lists among them that need an operator; `spool.incoming` counts them too.
    var unreadable = 0
    var isImporting: Bool
    /// Why lists cannot be taken, or results not be written.
    var listFault: String?
    /// The same, when the disk is to blame.
    var diskFault: String?
    var endpoint: String
    var spoolDirectory: String
    /// Bytes.
    var maxFileSize: Int

    /// Why lists cannot be taken or results not be written: the first of these reasons.
    var trouble: String? {
      diskFault ?? spool.fault.map { $0.message + ($0.hint.map { " (\($0))" } ?? "") } ?? listFault
    }
    /// The trouble is the disk or the spool as a whole, not a single list.
    var isDiskTrouble: Bool { diskFault != nil || spool.fault != nil }
  }

  /// Since when the daemon has been in its state.
  private let states = StateClock()

  func document(_ pool: PoolSnapshot, _ around: Surroundings, now: Timestamp) -> StatusDocument {
    let keys = Self.keys(around.tally, inHand: pool.inFlight)
    let (state, hold, reason) = Self.situation(pool, keys: keys, around, now: now)
    return StatusDocument(
      version: version, pid: Int(getpid()), startedAt: startedAt, now: now, state: state, reason: reason, keys: keys,
      lists: .init(
        total: around.lists.total, active: around.lists.active,
        incoming: max(0, around.spool.incoming - around.unreadable), blocked: around.blocked,
        rejected: around.lists.rejected, finishing: around.lists.finishing,
        unreadable: around.unreadable),
      progress: Self.progress(pool, around, Self.estimate(pool, around, state: state), state: state),
      rateLimit: Self.rateLimit(pool),
      requests: Self.requests(pool.statistics), workers: .init(total: pool.size, busy: pool.busy),
      hold: hold,
      since: states.since(state, began: Self.begin(of: state, pool), now: now),
      instance: instance.name, endpoint: around.endpoint, spool: around.spoolDirectory,
      maxFileSize: around.maxFileSize,
      lastSuccessAt: pool.statistics.lastSuccessAt,
      lastError: pool.lastError.map { .init(at: $0.at, message: $0.message) }, lastOutcome: around.newestOutcome)
  }

  /// When the state began, as far as the pool knows.
  private static func begin(of state: StatusDocument.State, _ pool: PoolSnapshot) -> Timestamp? {
    switch pool.standstill {
    case .paused(let pause): pause.since
    case .hold(let hold): hold.since
    case .stopping, .disk, .recording, .inquiry, .limit, .reply, .nothingDue, nil:
      StatusDocument.State(pool.phase) == state ? pool.phaseSince : nil
    }
  }

  /// Keys in hand are stored as pending or retrying: they are subtracted there, so that the sum is always right.
  private static func keys(_ tally: Tally, inHand: Int) -> StatusDocument.Keys {
    let fromPending = min(inHand, tally[.pending])
    let fromRetrying = min(inHand - fromPending, tally[.retrying])
    return StatusDocument.Keys(
      pending: tally[.pending] - fromPending, inFlight: fromPending + fromRetrying,
      retrying: tally[.retrying] - fromRetrying, registered: tally[.registered], failed: tally[.failed],
      cancelled: tally[.cancelled])
  }

  /// The state, the reason of a hold, and the reason in words.
  private static func situation(
    _ pool: PoolSnapshot, keys: StatusDocument.Keys, _ around: Surroundings, now: Timestamp
  ) -> (StatusDocument.State, StatusDocument.Hold?, String?) {
    switch pool.standstill {
    case .stopping: return (.stopping, nil, nil)
    case .paused(let pause): return (.paused, nil, Self.sentence(pause.reason, around.trouble))
    case .disk(let fault): return (.holding, .disk, fault.detail)
    case .hold(let hold):
      return (.holding, StatusDocument.Hold(hold.reason), hold.sentence(now: now, nextTryIn: pool.probesIn))
    case .recording, .inquiry, .limit, .reply, .nothingDue, nil: break
    }
    guard Self.isOpen(keys) else {
      // There is no other work, so this is the only place where the reason would show.
      if let trouble = around.trouble {
        return around.isDiskTrouble ? (.holding, .disk, trouble) : (.waiting, nil, trouble)
      }
      guard !around.isImporting, around.lists.finishing == 0 else { return (.working, nil, nil) }
      let unread = around.unreadable
      return (.idle, nil, unread == 0 ? nil : "\(unread.counted("list")) cannot be read; keyreg lists shows why")
    }
    // Known keys are processed even if the spool cannot be used: their outcomes are safe in the queue, and their
    // results are written later. So this is not a hold, but the reason mentions it.
    let trouble = around.isDiskTrouble ? around.trouble : nil
    if pool.busy == 0 {
      if let wait = pool.waitsFor, wait >= 1 || pool.phase == .waiting {
        return (.waiting, nil, Self.sentence(Self.wait(of: wait, pool.standing, now: now), trouble))
      }
      // Keys in flight have an answer that is being written.
      if keys.pending + keys.inFlight == 0 {
        let retrying = "\(keys.retrying.counted("key")) \(keys.retrying == 1 ? "is" : "are") waiting to be retried"
        let next = pool.nextDueIn.map { ", the next at \(now.adding(seconds: $0))" } ?? ""
        return (.waiting, nil, Self.sentence(retrying + next, trouble))
      }
    }
    return (.working, nil, trouble)
  }

  /// `rate limit used up; next request in 22 s, at 11:44:20Z`
  private static func wait(of seconds: Seconds, _ standing: LimitStanding, now: Timestamp) -> String {
    let cause =
      standing.limit == nil
      ? "rate limit not known" : standing.remaining.map { $0 > 0 } ?? true ? "rate limit" : "rate limit used up"
    let next = now.adding(seconds: seconds).description
    // Date and time beyond half a day.
    let time = seconds < 43_200 ? next.dropFirst(11).prefix(8) : next.prefix(19)
    return "\(cause); next request in \(DurationText.approximate(seconds: max(1, seconds))), at \(time)Z"
  }

  private static func isOpen(_ keys: StatusDocument.Keys) -> Bool { keys.pending + keys.inFlight + keys.retrying > 0 }

  private static func sentence(_ parts: String?...) -> String? {
    let parts = parts.compactMap(\.self)
    return parts.isEmpty ? nil : parts.joined(separator: "; ")
  }

  /// When the open keys will be done.
  func estimate(_ pool: PoolSnapshot, _ around: Surroundings, now: Timestamp) -> Estimate {
    let keys = Self.keys(around.tally, inHand: pool.inFlight)
    return Self.estimate(pool, around, state: Self.situation(pool, keys: keys, around, now: now).0)
  }

  private static func estimate(
    _ pool: PoolSnapshot, _ around: Surroundings, state: StatusDocument.State
  ) -> Estimate {
    if around.tally.open == 0, state != .paused, state != .holding { return .done }
    guard isAtWork(state) else { return .unknown }
    let durations = pool.statistics.durations
    return Estimate(
      pool.standing, open: around.tally.open, waiting: around.tally[.retrying], rate: pool.perSecond,
      lastDue: around.lastDueIn, exchange: durations.count > 0 ? durations.percentile(0.5) : 0,
      opensIn: pool.waitsFor ?? 0)
  }

  private static func isAtWork(_ state: StatusDocument.State) -> Bool {
    state != .idle && state != .paused && state != .holding
  }

  private static func progress(
    _ pool: PoolSnapshot, _ around: Surroundings, _ estimate: Estimate, state: StatusDocument.State
  ) -> StatusDocument.Progress {
    let tally = around.tally
    let open = tally.open == 0 ? OpenProgress(done: tally.done, total: tally.total) : around.openProgress
    let rate = isAtWork(state) ? pool.perSecond : 0
    return StatusDocument.Progress(
      done: open.done, fraction: open.total == 0 ? 0 : Double(open.done) / Double(open.total),
      perSecond: (rate * 100).rounded() / 100, etaSeconds: estimate.seconds, etaFrom: estimate.source)
  }

  private static func rateLimit(_ pool: PoolSnapshot) -> StatusDocument.RateLimit {
    let standing = pool.standing
    return StatusDocument.RateLimit(
      name: standing.name.map { PrintableText.escape($0) }, limit: standing.limit,
      periodSeconds: standing.period.map { Int(min($0, 1e9).rounded()) }, remaining: standing.remaining,
      ours: standing.limit == nil ? nil : standing.ours,
      resetsInSeconds: standing.resetsIn.map { Int(min(max(0, $0), 1e9).rounded(.up)) },
      reserved: standing.limit == nil ? nil : standing.reserved, source: standing.source.rawValue,
      waitingSeconds: ((pool.waitsFor ?? 0) * 1_000).rounded() / 1_000, refusals: pool.refusals)
  }

  private static func requests(_ statistics: Statistics) -> StatusDocument.Requests {
    let durations = statistics.durations
    func milliseconds(_ seconds: Seconds) -> Int { Int((min(seconds, 1e9) * 1_000).rounded()) }
    let latency =
      durations.count > 0
      ? StatusDocument.Latency(
        p50: milliseconds(durations.percentile(0.5)), p90: milliseconds(durations.percentile(0.9)),
        p99: milliseconds(durations.percentile(0.99)), max: milliseconds(durations.longest))
      : StatusDocument.Latency()
    return StatusDocument.Requests(
      sent: statistics.sent, created: statistics.created, throttled: statistics.throttled,
      clientErrors: statistics.clientErrors, serverErrors: statistics.serverErrors,
      transportErrors: statistics.transportErrors, latency: latency)
  }
}

extension StatusDocument.Hold {
  fileprivate init(_ reason: Holds.Reason) {
    self =
      switch reason {
      case .credentials: .credentials
      case .outage: .outage
      case .refused: .refused
      }
  }
}
