import ControlAPI
import Dispatch
import Logging
import Registration
import RegistrationQueue
import Spool

/// The daemon's side of the control socket: reads from the queue, commands to the parts of the daemon. Blocking work
/// runs on separate dispatch queues, never on the server's thread.
struct DaemonControl: ControlBackend {
  let queue: RegistrationQueue
  let pool: WorkerPool
  let importer: Importer
  let watcher: SpoolWatcher
  let spool: SpoolUpkeep
  let calls: SpoolCalls
  let reports: Reports
  let broadcast: ChangeBroadcast
  let queuePath: String
  let log: Logger
  /// Throws `SettingsError` or `CredentialError` when the old settings stay in force.
  let reloadSettings: @Sendable () throws -> (changed: [String], needsRestart: [String])
  /// Makes one call to the API that changes nothing. Blocks for as long as that takes.
  let checkOnline: @Sendable () -> CheckDocument

  let queues = ControlQueues()
  /// How many keys come before the end of each open list: computed once for all pages of lists that are read together.
  let openKeysAhead = Cached<[Int64: Int]>(life: 2)
  /// However many ask, the API is asked once a second at most.
  let checked = Cached<CheckDocument>(life: 1)
  let lastDueByList = Cached<[Int64: Timestamp]>(life: 2)

  func status() async -> StatusDocument {
    await Self.onQueue(queues.reports) { reports.status() }
  }

  func lists(_ query: ListQuery) async throws -> ListsDocument {
    try await Self.onQueue(queues.reads) { () throws in
      let page = try queue.lists(isActive: query.isActive, after: query.after, limit: query.limit)
      let unread = query.after == 0 ? try reports.unread() : []
      return ListsDocument(lists: try documents(page.rows), unread: unread, next: page.next)
    }
  }

  func lists(newest count: Int) async throws -> [ListDocument] {
    try await Self.onQueue(queues.reads) { () throws in try documents(try queue.lists(newest: count)) }
  }

  func list(named name: String) async throws -> ListDocument? {
    let found: ListDocument? = try await Self.onQueue(queues.reads) { () throws in
      try queue.list(named: name).flatMap { try documents([$0]).first }
    }
    if let found { return found }
    switch try await standing(of: name) {
    case .unknown: return nil
    case .waiting: throw waiting(name)
    case .rejected: throw ControlError(.rejected, "the list was rejected: rejected/\(name).reason.txt says why")
    }
  }

  func digest(of name: String) async throws -> ListDigest? {
    try await Self.onQueue(queues.streams) { () throws in
      guard let list = try queue.list(named: name), let document = try documents([list]).first else { return nil }
      let errors = try queue.failures(of: list).map { group in
        ListDigest.ErrorGroup(status: group.status, text: group.error, keys: group.keys)
      }
      return ListDigest(list: document, errors: errors, slowest: try queue.slowestKeys(of: list))
    }
  }

  private func documents(_ lists: [ListRecord]) throws -> [ListDocument] {
    let eta = lists.contains { $0.keys.open > 0 } ? try schedule() : { _ in nil }
    return lists.map { ListDocument($0, etaAt: eta($0)) }
  }

  /// Why a list in the spool is not read yet, and what to do about it.
  private func waiting(_ name: String) -> ControlError {
    if let warning = watcher.standing.blocked.first(where: { "\($0.key)" == name })?.value {
      guard case .unreadable = warning else { return ControlError(.incoming, "\(warning)", hint: warning.hint) }
      return ControlError(.noAccess, "\(warning)", hint: warning.hint)
    }
    if let fault = importer.faults.first(where: { $0.key.text == name })?.value {
      return ControlError(.incoming, fault.text, hint: fault.hint)
    }
    return ControlError(.incoming, "the list waits to be read", hint: "keyreg lists says if it cannot be")
  }

  private enum Standing {
    case unknown, waiting, rejected
  }

  /// Where in the spool a list is that the queue does not know.
  private func standing(of text: String) async throws -> Standing {
    // A name that no list can have, or a folder that cannot be read, says nothing.
    guard let name = try? ListName(text) else { return .unknown }
    do {
      return try await calls.run(on: queues.looks) { [spool = importer.spool] in
        if (try? spool.isRejected(name)) == true { return .rejected }
        return (try? spool.isWaiting(name)) == true ? .waiting : .unknown
      }
    } catch {
      throw Self.explained(error)
    }
  }

  /// When a list will be done: lists are processed in the order of their names, so it depends on those before it, and on
  /// when its waiting keys are due.
  private func schedule() throws -> (ListRecord) -> Timestamp? {
    let estimate = reports.estimate()
    guard let work = estimate.work else { return { _ in nil } }
    let (now, sureNow) = (Timestamp.now(), queue.sureTime)
    let ahead = try openKeysAhead.current { try queue.openKeysAhead() }
    let lastDue = estimate.retries == nil ? [:] : try lastDueByList.current { try queue.lastDueByList() }
    let open = Double(max(1, queue.tally.open))
    return { list in
      guard list.keys.open > 0 else { return nil }
      // A list that owns none of its open keys is done with others, at the latest with the last.
      let share = ahead[list.id].map { min(1, Double($0) / open) } ?? 1
      // Its part of the work may come before the next possible request.
      let least = ahead[list.id].map { pool.leastSeconds(for: $0) } ?? 0
      let own = lastDue[list.id].map { max(0, $0.seconds(since: sureNow)) }
      let retries = list.keys[.retrying] > 0 ? own ?? estimate.retries ?? 0 : 0
      return now.adding(seconds: max(work * share, min(least, work), retries))
    }
  }

  func outcomes(_ query: OutcomeQuery, after cursor: Int64?, limit: Int) async throws -> OutcomePage {
    try await Self.onQueue(queues.streams) { () throws in
      let list = try query.list.map { name in
        guard let list = try queue.list(named: name) else { throw Self.noList(name) }
        return list
      }
      let page =
        if let after = query.after {
          try queue.outcomes(
            recordedAfter: cursor ?? after, until: query.until ?? .max, list: list, state: query.state,
            error: query.error, since: query.since, limit: limit)
        } else {
          try queue.outcomes(
            list: list, state: query.state, error: query.error, since: query.since, until: query.until,
            after: cursor ?? 0, limit: limit)
        }
      return OutcomePage(rows: page.rows, next: page.next)
    }
  }

  func key(_ id: AppKeyID) async throws -> KeyDocument? {
    try await Self.onQueue(queues.reads) { () throws in
      try queue.key(id).map { record in
        KeyDocument(record, isInFlight: pool.isInFlight(record.row))
      }
    }
  }

  func metrics() async -> MetricsSnapshot {
    await Self.onQueue(queues.reports) { reports.metrics() }
  }

  func history(since: Timestamp?) async -> HistoryDocument {
    await Self.onQueue(queues.reports) {
      reports.noteHistory()
      return HistoryDocument(minutes: reports.history.minutes(since: since).map(MinuteDocument.init))
    }
  }

  func limits() async -> LimitsDocument { await Self.onQueue(queues.reports) { reports.limits() } }

  func health() async -> HealthDocument { reports.health() }

  func changes() -> AsyncStream<Void> { broadcast.listen() }

  static func noList(_ name: String) -> ControlError {
    .notFound("there is no list “\(PrintableText.escape(name))”")
  }

  private static func onQueue<Value: Sendable>(
    _ queue: DispatchQueue, _ body: @escaping @Sendable () -> Value
  ) async -> Value {
    await withCheckedContinuation { continuation in
      queue.async { @Sendable in continuation.resume(returning: body()) }
    }
  }

  static func onQueue<Value: Sendable>(
    _ queue: DispatchQueue, _ body: @escaping @Sendable () throws -> Value
  ) async throws -> Value {
    try await withCheckedThrowingContinuation { continuation in
      queue.async { @Sendable in
        continuation.resume(with: Result(catching: body).mapError { Self.explained($0) })
      }
    }
  }
}

extension ListDocument {
  init(_ list: ListRecord, etaAt: Timestamp?) {
    let state: State =
      if list.importedAt == nil { .importing } else if list.cancelledAt != nil { .cancelled } else if list.keys.open > 0
      {
        .active
      } else { .done }
    self.init(
      name: list.name, id: list.id, state: state, sha256: list.sha256, bytes: list.bytes, arrivedAt: list.arrivedAt,
      importedAt: list.importedAt,
      finishedAt: list.finishedAt, etaAt: etaAt,
      keys: Keys(
        pending: list.keys[.pending], retrying: list.keys[.retrying], registered: list.keys[.registered],
        failed: list.keys[.failed], cancelled: list.keys[.cancelled]),
      progress: Progress(
        done: list.keys.done,
        fraction: list.keys.total == 0 ? 0 : Double(list.keys.done) / Double(list.keys.total)),
      invalid: list.invalid, duplicateOf: list.duplicateOf,
      results: list.resultsAt == nil ? nil : "results/\(list.name).csv")
    priority = list.terms.priority
    stopAfter = list.terms.stopAfter
    stoppedAt = list.stoppedAt
    stoppedBecause = list.stop?.detail
  }
}

extension KeyDocument {
  init(_ record: KeyRecord, isInFlight: Bool) {
    let outcome = record.outcome
    let failure =
      outcome.errorTitle == nil && outcome.errorDetail == nil
      ? nil : Failure(title: outcome.errorTitle, detail: outcome.errorDetail)
    self.init(
      id: outcome.id, state: isInFlight ? .inFlight : State(outcome.state), httpStatus: outcome.httpStatus,
      attempts: outcome.attempts, firstAttemptAt: outcome.firstAttemptAt, finishedAt: outcome.finishedAt,
      nextAttemptAt: record.dueAt.flatMap { $0 > .now() ? $0 : nil }, error: failure, lists: record.lists)
  }
}
