import ControlAPI
import Dispatch
import Foundation
import Registration
import RegistrationCore
import RegistrationQueue
import Spool
import Systemd

/// The daemon's side of the control socket: reads from the queue, commands to the daemon. What blocks runs on a queue of
/// its own, never on the server's thread.
struct DaemonControl: ControlBackend {
  let daemon: Daemon

  /// Short reads: lists, keys.
  private static let reads = DispatchQueue(label: "keyreg.control.reads")
  /// Pages of outcomes, for any number of streams one after the other: they take one of the queue's readers, and give it
  /// back with every page.
  private static let streams = DispatchQueue(label: "keyreg.control.streams")
  /// Status and metrics, which wait for neither.
  private static let reports = DispatchQueue(label: "keyreg.control.reports")
  /// Looks into the spool, which may hang with its file system.
  private static let looks = DispatchQueue(label: "keyreg.control.looks")
  private static let commands = DispatchQueue(label: "keyreg.control.commands")
  /// For commands that touch many keys: a pause does not wait for them.
  private static let bulk = DispatchQueue(label: "keyreg.control.bulk")

  func status() async -> StatusDocument {
    await Self.onQueue(Self.reports) { daemon.status() }
  }

  func lists(_ query: ListQuery) async throws -> ListsDocument {
    try await Self.onQueue(Self.reads) { () throws in
      let page = try daemon.queue.lists(isActive: query.isActive, after: query.after, limit: query.limit)
      let unread = query.after == 0 ? try UnreadLists(daemon).documents() : []
      return ListsDocument(lists: try documents(page.rows), unread: unread, next: page.next)
    }
  }

  func lists(newest count: Int) async throws -> [ListDocument] {
    try await Self.onQueue(Self.reads) { () throws in try documents(try daemon.queue.lists(newest: count)) }
  }

  func list(named name: String) async throws -> ListDocument? {
    let found: ListDocument? = try await Self.onQueue(Self.reads) { () throws in
      try daemon.queue.list(named: name).flatMap { try documents([$0]).first }
    }
    if let found { return found }
    guard try await isRejected(name) else { return nil }
    throw ControlError(.rejected, "the list was rejected: rejected/\(name).reason.txt says why")
  }

  private func documents(_ lists: [ListRecord]) throws -> [ListDocument] {
    let eta = lists.contains { $0.keys.open > 0 } ? try schedule() : { _ in nil }
    return lists.map { ListDocument($0, etaAt: eta($0)) }
  }

  /// Whether a list of that name was rejected, and no other of that name waits to be read.
  private func isRejected(_ text: String) async throws -> Bool {
    // What cannot be the name of a list, or a folder that cannot be looked into, tells of no rejection.
    guard let name = try? ListName(text) else { return false }
    do {
      return try await daemon.calls.run(on: Self.looks) { [spool = daemon.spool] in
        (try? spool.isRejected(name)) == true
      }
    } catch {
      throw Self.explained(error)
    }
  }

  /// When a list will be done: lists are worked on in the order of their names, so it depends on what stands before it.
  private func schedule() throws -> (ListRecord) -> Timestamp? {
    guard let eta = daemon.status().progress.etaSeconds else { return { _ in nil } }
    let now = Timestamp.now()
    let ahead = try daemon.openKeysAhead.current { try daemon.queue.openKeysAhead() }
    let open = Double(max(1, daemon.queue.tally.open))
    return { list in
      guard list.keys.open > 0 else { return nil }
      // A list that owns none of its open keys is done when others are, at the latest with the last.
      let share = ahead[list.id].map { min(1, Double($0) / open) } ?? 1
      return now.adding(seconds: Double(eta) * share)
    }
  }

  func outcomes(_ query: OutcomeQuery, after cursor: Int64?, limit: Int) async throws -> OutcomePage {
    try await Self.onQueue(Self.streams) { () throws in
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
    do {
      try daemon.requireSpool()
      return try await PostedLists(importer: daemon.importer, calls: daemon.calls, log: daemon.log)
        .submit(name: name, force: force, body: body)
    } catch {
      throw Self.explained(error)
    }
  }

  func pause(reason: String?) async throws -> StatusDocument {
    try await Self.onQueue(Self.commands) { () throws in
      try daemon.pause(Pause(reason: reason.map { PrintableText.escape(SecretText.redacted($0)) }, since: .now()))
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
      if list.importedAt != nil, list.keys.open == 0 {
        let state = list.cancelledAt == nil ? "done" : "cancelled already"
        throw ControlError(
          .conflict, "the list “\(PrintableText.escape(name))” is \(state): nothing of it is left to cancel",
          hint: "keyreg outcomes --list NAME shows what became of its keys")
      }
      // What was done before an error is done.
      defer {
        daemon.pool.keysChanged()
        daemon.writeResults()
      }
      return CancelResult(cancelled: try daemon.queue.cancel(list.id, at: .now()) { daemon.pool.keysChanged() })
    }
  }

  func reload() async throws -> ReloadResult {
    try await Self.onQueue(Self.commands) { () throws in
      do {
        let (changed, needsRestart) = try daemon.reload()
        return ReloadResult(changed: changed, needsRestart: needsRestart)
      } catch let error as CredentialError {
        let isRefused = error.reason == .refused || error.reason == .unreadable
        throw ControlError(isRefused ? .forbidden : .unprocessable, error.message, hint: error.hint)
      } catch let error as SettingsError {
        throw ControlError(.unprocessable, error.description, hint: error.hint)
      } catch {
        throw ControlError(.unprocessable, "\(error)")
      }
    }
  }

  func metrics() async -> MetricsSnapshot {
    await Self.onQueue(Self.reports) { daemon.metrics() }
  }

  func health() async -> HealthDocument { daemon.health() }

  func changes() -> AsyncStream<Void> { daemon.changes.listen() }

  private static func noList(_ name: String) -> ControlError {
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
