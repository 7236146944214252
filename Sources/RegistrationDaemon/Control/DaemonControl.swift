import ControlAPI
import Dispatch
import Foundation
import Registration
import RegistrationQueue

/// The daemon's side of the control socket: reads from the queue, commands to the daemon. What blocks runs on a queue of
/// its own, never on the server's thread.
struct DaemonControl: ControlBackend {
  let daemon: Daemon

  private static let reads = DispatchQueue(label: "keyreg.control.reads")
  private static let commands = DispatchQueue(label: "keyreg.control.commands")
  /// For commands that touch many keys: a pause does not wait for them.
  private static let bulk = DispatchQueue(label: "keyreg.control.bulk")

  func status() async -> StatusDocument { daemon.status() }

  func lists() async throws -> [ListDocument] {
    try await Self.onQueue(Self.reads) { () throws in
      let now = Timestamp.now()
      let lists = try daemon.queue.lists()
      let eta = daemon.status().progress.etaSeconds
      // Lists are worked on in the order of their names: what stands before one comes first.
      var ahead: [String: Int] = [:]
      var open = 0
      for list in lists.sorted(by: { $0.name < $1.name }) where list.keys.open > 0 {
        open += list.keys.open
        ahead[list.name] = open
      }
      return lists.map { list in
        let seconds = ahead[list.name].flatMap { ahead in eta.map { Double($0) * Double(ahead) / Double(open) } }
        return ListDocument(list, etaAt: seconds.map(now.adding(seconds:)))
      }
    }
  }

  func list(named name: String) async throws -> ListDocument? {
    guard let list = try await Self.onQueue(Self.reads, { () throws in try daemon.queue.list(named: name) }) else {
      return nil
    }
    guard list.keys.open > 0 else { return ListDocument(list, etaAt: nil) }
    // When it will be done depends on what stands before it.
    return try await lists().first { $0.name == name }
  }

  func outcomes(_ query: OutcomeQuery, after cursor: Int64?, limit: Int) async throws -> OutcomePage {
    try await Self.onQueue(Self.reads) { () throws in
      let list = try query.list.map { name in
        guard let list = try daemon.queue.list(named: name) else { throw Self.noList(name) }
        return list
      }
      let page = try daemon.queue.outcomes(list: list, state: query.state, after: cursor ?? 0, limit: limit)
      return OutcomePage(rows: page.rows, next: page.next)
    }
  }

  func key(_ id: AppKeyID) async throws -> KeyDocument? {
    try await Self.onQueue(Self.reads) { () throws in
      try daemon.queue.key(id).map { record in
        KeyDocument(record, isInFlight: daemon.pool.isInFlight(record.row))
      }
    }
  }

  func submit(
    name: String?, force: Bool, body: any AsyncSequence<[UInt8], any Error> & Sendable
  ) async throws -> [UInt8] {
    try await daemon.importer.submit(name: name, force: force, body: body)
  }

  func pause(reason: String?) async throws -> StatusDocument {
    try await Self.onQueue(Self.commands) { () throws in
      try daemon.pause(Pause(reason: reason.map { PrintableText.escape($0) }, since: .now()))
      return daemon.status()
    }
  }

  func resume() async throws -> StatusDocument {
    try await Self.onQueue(Self.commands) { () throws in
      try daemon.pause(nil)
      return daemon.status()
    }
  }

  func retry(_ request: RetryRequest) async throws -> RetryResult {
    try await Self.onQueue(Self.bulk) { () throws in
      let list = try request.list.map { name in
        guard let list = try daemon.queue.list(named: name) else { throw Self.noList(name) }
        return list.id
      }
      let selection = RetrySelection(list: list, error: request.error, keys: request.keys)
      return RetryResult(retried: try daemon.queue.retry(selection) { daemon.pool.keysChanged() })
    }
  }

  func cancel(list name: String) async throws -> CancelResult {
    try await Self.onQueue(Self.bulk) { () throws in
      guard let list = try daemon.queue.list(named: name) else { throw Self.noList(name) }
      // What was done before an error is done.
      defer {
        daemon.pool.keysChanged()
        daemon.results.look()
      }
      return CancelResult(cancelled: try daemon.queue.cancel(list.id, at: .now()) { daemon.pool.keysChanged() })
    }
  }

  func reload() async throws -> ReloadResult {
    try await Self.onQueue(Self.commands) { () throws in
      do {
        return ReloadResult(changed: try daemon.reload())
      } catch {
        throw ControlError(.unprocessable, "\(error)")
      }
    }
  }

  func metrics() async -> MetricsSnapshot { daemon.metrics() }

  func health() async -> HealthDocument { daemon.health() }

  func changes() -> AsyncStream<Void> { daemon.changes.listen() }

  private static func noList(_ name: String) -> ControlError {
    .notFound("there is no list “\(PrintableText.escape(name))”")
  }

  static func onQueue<Value: Sendable>(
    _ queue: DispatchQueue, _ body: @escaping @Sendable () throws -> Value
  ) async throws -> Value {
    try await withCheckedThrowingContinuation { continuation in
      queue.async { @Sendable in continuation.resume(with: Result(catching: body)) }
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
      nextAttemptAt: record.dueAt, error: failure, lists: record.lists)
  }
}
