package import ControlAPI
import Registration
import RegistrationQueue
import Spool
import Systemd

/// What the daemon says of itself, and the upkeep that goes with it.
extension Daemon {
  package func status() -> StatusDocument { status(spool: look.finding()) }

  private func status(spool: SpoolLook.Finding) -> StatusDocument {
    let faults = [importer.fault, results.fault].compactMap { $0 }
    return report.document(
      pool.snapshot(),
      StatusReport.Surroundings(
        tally: queue.tally, openProgress: queue.openProgress, lists: queue.listTotals, spool: spool,
        blocked: watcher.standing.blockedLists + importer.faults.count, isImporting: !importer.isIdle,
        listFault: faults.first?.text,
        diskFault: faults.first { $0.isDisk }?.text, endpoint: settings.endpoint.base),
      now: .now())
  }

  func metrics() -> MetricsSnapshot {
    let pool = pool.snapshot()
    let status = status()
    let statistics = pool.statistics
    var metrics = MetricsSnapshot(
      keys: [
        .pending: status.keys.pending, .inFlight: status.keys.inFlight, .retrying: status.keys.retrying,
        .registered: status.keys.registered, .failed: status.keys.failed, .cancelled: status.keys.cancelled,
      ],
      requests: Dictionary(
        uniqueKeysWithValues: statistics.byStatus.map { ($0.key == 0 ? "none" : String($0.key), $0.value) }),
      durations: .init(bounds: Statistics.bounds, counts: statistics.buckets, sum: statistics.totalDuration),
      throttled: statistics.throttled, rateLimit: pool.standing.limit, rateLimitRemaining: pool.standing.remaining,
      rateLimitResetSeconds: pool.standing.resetsIn, waitSeconds: statistics.waited, lists: importer.counts,
      hold: status.hold, queueBytes: queue.sizeOnDisk, version: options.version)
    metrics.state = status.state
    metrics.stateSince = status.since
    metrics.lastSuccessAt = status.lastSuccessAt
    // A queue that cannot be read shows as a hold; this figure is left out meanwhile.
    metrics.oldestPendingAt = try? queue.oldestOpenArrival()
    let lists = status.lists
    metrics.listStates = [
      "incoming": lists.incoming, "blocked": lists.blocked, "active": lists.active,
      "done": lists.total - lists.active, "rejected": lists.rejected,
    ]
    metrics.process = ProcessUsage(startedAt: report.startedAt)
    return metrics
  }

  /// Healthy while the parts that move everything else answer within half a minute.
  func health() -> HealthDocument {
    let age = MonotonicClock.now() - state.withLock { $0.lastBeat }
    guard age < 30 else { return HealthDocument(healthy: false, reason: "no heartbeat for \(Int(age)) s") }
    let status = status(spool: look.finding(within: 0))
    return HealthDocument(
      healthy: true, reason: status.reason ?? (status.state == .working ? nil : status.state.rawValue))
  }

  /// The recorder, the reader of keys and the pacer have all moved since the last beat.
  func beat() {
    state.withLock { $0.lastBeat = MonotonicClock.now() }
    notifier.watchdog()
  }

  /// One line for `systemctl status`.
  func statusLine() -> String {
    let status = status(spool: look.finding(within: 0))
    let keys = status.keys
    var parts = ["\(keys.registered) of \(keys.total) keys registered"]
    if keys.failed > 0 { parts.append("\(keys.failed) failed") }
    parts.append(status.reason.map { "\(status.state.rawValue) (\($0))" } ?? status.state.rawValue)
    return PrintableText.escape(parts.joined(separator: ", "))
  }
}

extension Daemon {
  /// No list waits in the spool but those that cannot be read, no key is open, and every results file is written. A spool
  /// that cannot be looked at, or does not answer, is not known to be empty.
  package var isDone: Bool {
    guard isQuiet, let finding = look.fresh(within: 1) else { return false }
    // Again: a list may have been taken up while the spool was looked at.
    return finding.incoming <= unreadable && finding.fault == nil && isQuiet
  }

  private var isQuiet: Bool {
    importer.isIdle && watcher.standing.grown == 0 && queue.listTotals.active == 0 && queue.tally.open == 0
      && pool.isDrained && areResultsWritten
  }

  /// What did not go well.
  var balance: Balance {
    Balance(
      failed: queue.tally[.failed], cancelled: queue.tally[.cancelled], rejected: importer.counts["rejected"] ?? 0,
      unreadable: unreadable)
  }

  /// Lists in `incoming/` or `reading/` that cannot be read for reasons that only an operator can remove.
  private var unreadable: Int {
    watcher.standing.blockedLists + importer.faults.values.count { !$0.isDisk && $0.isInReading }
  }

  /// Lists that were written to after they had been filed are read again.
  func checkFiledLists() {
    guard ownership.isServed else { return }
    upkeep.async { @Sendable [self] in
      FiledLists(queue: queue, spool: spool, watcher: watcher, log: log).check()
    }
  }

  /// The results of every finished list are in place.
  var areResultsWritten: Bool {
    do {
      return try queue.listsWithoutResults().isEmpty
    } catch {
      // Not known, so not done: it is asked again.
      return false
    }
  }

  /// Removes what has been kept for long enough.
  func sweepSpool() {
    guard ownership.isServed else { return }
    do {
      let count = try spool.sweep(keep: .milliseconds(settings.keep)) { queue.age(of: $0) }
      if count > 0 { log.info("old files of the spool were removed", metadata: ["files": "\(count)"]) }
      checkFiledLists()
    } catch {
      log.warning("old files of the spool could not be removed", metadata: ["detail": "\(error)"])
    }
  }
}
