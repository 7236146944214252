import ControlAPI
import Registration
import RegistrationCore
import RegistrationQueue
import Spool

/// What the daemon reports about itself: status, metrics, health.
struct Reports: Sendable {
  let queue: RegistrationQueue
  let pool: WorkerPool
  let importer: Importer
  let watcher: SpoolWatcher
  let results: ResultsWriter
  let monitor: SpoolMonitor
  let heartbeat: Heartbeat
  let settings: SettingsInForce
  let report: StatusReport
  let history: History

  func status() -> StatusDocument { status(spool: monitor.finding()) }

  private func status(spool: SpoolMonitor.Finding) -> StatusDocument {
    status(pool.snapshot(), spool: spool)
  }

  private func status(_ pool: PoolSnapshot, spool: SpoolMonitor.Finding) -> StatusDocument {
    report.document(pool, surroundings(spool), now: .now())
  }

  /// When the open keys will be done.
  func estimate() -> Estimate {
    report.estimate(pool.snapshot(), surroundings(monitor.finding(within: 0)), now: .now())
  }

  private func surroundings(_ spool: SpoolMonitor.Finding) -> StatusReport.Surroundings {
    let faults = [importer.fault, results.fault].compactMap { $0 }
    let standing = watcher.standing
    let faulty = importer.faults
    let tally = queue.tally
    return StatusReport.Surroundings(
      tally: tally, openProgress: queue.openProgress,
      lastDueIn: tally.lastDue.map { max(0, $0.seconds(since: queue.sureTime)) }, lists: queue.listTotals,
      newestOutcome: queue.newestOutcome, spool: spool, blocked: standing.blocked.count + faulty.count,
      unreadable: standing.blockedLists + faulty.values.count { !$0.isDisk && $0.isInReading },
      isImporting: !importer.isIdle,
      listFault: faults.first?.text, diskFault: faults.first { $0.isDisk }?.text,
      endpoint: settings.current.endpoint.base, spoolDirectory: importer.spool.path,
      maxFileSize: importer.maxFileSize)
  }

  func metrics() -> MetricsSnapshot {
    // Of one moment, like the status.
    let pool = pool.snapshot()
    let status = status(pool, spool: monitor.finding())
    let statistics = pool.statistics
    var metrics = MetricsSnapshot(
      keys: [
        .pending: status.keys.pending, .inFlight: status.keys.inFlight, .retrying: status.keys.retrying,
        .registered: status.keys.registered, .failed: status.keys.failed, .cancelled: status.keys.cancelled,
      ],
      requests: Dictionary(
        uniqueKeysWithValues: statistics.byStatus.map { ($0.key == 0 ? "none" : String($0.key), $0.value) }),
      durations: .init(
        bounds: Statistics.bounds, counts: statistics.durations.counts(upTo: Statistics.bounds),
        sum: statistics.durations.total),
      throttled: statistics.throttled, rateLimit: pool.standing.limit, rateLimitRemaining: pool.standing.remaining,
      rateLimitResetSeconds: pool.standing.resetsIn,
      // Each reason from the start, so that increases are seen from the first wait on.
      waitSeconds: Dictionary(
        uniqueKeysWithValues: Standstill.Kind.allCases.map { ($0.rawValue, statistics.waited[$0, default: 0]) }),
      lists: [.imported: importer.counts.imported, .rejected: importer.counts.rejected],
      hold: status.hold, queueBytes: queue.sizeOnDisk, version: report.version)
    metrics.transportErrors = statistics.transportErrors
    metrics.rateLimitOurs = status.rateLimit.ours
    metrics.rateLimitReserved = status.rateLimit.reserved
    metrics.state = status.state
    metrics.stateSince = status.since
    metrics.lastSuccessAt = status.lastSuccessAt
    // A queue that cannot be read shows as a hold; meanwhile this value is left out.
    metrics.oldestPendingAt = try? queue.oldestOpenArrival()
    let lists = status.lists
    metrics.listStates = [
      .incoming: lists.incoming, .blocked: lists.blocked, .active: lists.active, .done: lists.total - lists.active,
      .rejected: lists.rejected,
    ]
    metrics.process = ProcessUsage(startedAt: report.startedAt)
    return metrics
  }

  /// Files in the spool that are not lists of the queue.
  func unread() throws -> [UnreadDocument] {
    try UnreadLists(queue: queue, standing: watcher.standing, faults: importer.faults).documents()
  }

  /// Adds what happened since the last look to the history.
  func noteHistory() {
    let newest = queue.newestOutcome
    let pool = pool.snapshot()
    let sample = History.Sample(
      statistics: pool.statistics, remaining: pool.standing.remaining, state: momentaryStatus().state,
      newestOutcome: newest)
    history.look(sample, now: .now())
  }

  func limits() -> LimitsDocument {
    noteHistory()
    let (obeyed, evidence) = pool.limits
    return LimitsDocument(
      obeyed, evidence, minutes: history.minutes(), instance: report.instance.name, now: .now())
  }

  /// Healthy while the parts that everything depends on respond within half a minute.
  func health() -> HealthDocument {
    let age = heartbeat.age
    guard age < 30 else { return HealthDocument(healthy: false, reason: "no heartbeat for \(Int(age)) s") }
    let status = momentaryStatus()
    return HealthDocument(
      healthy: true, reason: status.reason ?? (status.state == .working ? nil : status.state.rawValue))
  }

  /// The status with what was last seen of the spool: never waits for it.
  func momentaryStatus() -> StatusDocument { status(spool: monitor.finding(within: 0)) }

  /// A status in one line, for `systemctl status`.
  static func line(_ status: StatusDocument) -> String {
    let keys = status.keys
    var parts = ["\(keys.registered) of \(keys.total.counted("key")) registered"]
    if keys.failed > 0 { parts.append("\(keys.failed) failed") }
    parts.append(status.reason.map { "\(status.state.rawValue) (\($0))" } ?? status.state.rawValue)
    return PrintableText.escape(parts.joined(separator: ", "))
  }
}
