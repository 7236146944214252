import ControlAPI
import Registration
import RegistrationCore
import RegistrationQueue
import Secrets
import Spool

/// What an operator can have the daemon do while it runs.
extension DaemonControl {
  func submit(
    name: String?, force: Bool, terms: ListTerms, body: any AsyncSequence<[UInt8], any Error> & Sendable
  ) async throws -> [UInt8] {
    do {
      if let fault = spool.fault { throw fault }
      return try await PostedLists(importer: importer, calls: calls, log: log)
        .submit(name: name, force: force, terms: terms, body: body)
    } catch {
      throw Self.explained(error)
    }
  }

  func preview(
    name: String?, force: Bool, body: any AsyncSequence<[UInt8], any Error> & Sendable
  ) async throws -> PreviewDocument {
    do {
      if let fault = spool.fault { throw fault }
      let (survey, bytes) = try await PostedLists(importer: importer, calls: calls, log: log)
        .survey(name: name, force: force, body: body)
      return PreviewDocument(survey, name: name, bytes: bytes, open: queue.tally.open, pool: pool.snapshot())
    } catch {
      throw Self.explained(error)
    }
  }

  func pause(reason: String?) async throws -> StatusDocument {
    try await Self.onQueue(queues.commands) { () throws in
      // Paused again, it is paused since the first time, and for the reason that was given last.
      let earlier = pool.snapshot().pause
      let reason = reason.map { PrintableText.escape(SecretText.redacted($0)) }
      try store(Pause(reason: reason ?? earlier?.reason, since: earlier?.since ?? .now()))
      return reports.status()
    }
  }

  func resume() async throws -> StatusDocument {
    try await Self.onQueue(queues.commands) { () throws in
      try store(nil)
      return reports.status()
    }
  }

  /// Pauses, or resumes with nil. Stored before it takes effect, so it survives restarts.
  ///
  /// Resuming ends a pause. Without a pause it accepts the refusals of the API: an operator who only ends a pause must
  /// not fail a list by it.
  private func store(_ pause: Pause?) throws {
    let wasPaused = pool.snapshot().pause != nil
    try queue.remember(pause, named: Memory.pause)
    pool.pause(pause)
    if pause == nil, !wasPaused { pool.believe() }
    if let pause {
      log.notice("paused", metadata: ["reason": "\(pause.reason ?? "")"])
    } else if wasPaused {
      log.notice("resumed")
    }
  }

  func retry(_ request: RetryRequest) async throws -> RetryResult {
    try await Self.onQueue(queues.bulk) { () throws in
      let list = try request.list.map { name in
        guard let list = try queue.list(named: name) else { throw Self.noList(name) }
        return list.id
      }
      let selection = RetrySelection(list: list, error: request.error, keys: request.keys)
      return RetryResult(retried: try queue.retry(selection) { pool.keysChanged() })
    }
  }

  func set(list name: String, _ change: ListTermsChange) async throws -> ListDocument {
    try await Self.onQueue(queues.bulk) { () throws in
      guard let list = try queue.setTerms(of: name, change) else { throw Self.noList(name) }
      if queue.takeStops() || list.stoppedAt != nil {
        try queue.finishCancels(at: .now(), inFlight: pool.rowsInFlight)
      }
      pool.keysChanged()
      spool.writeResults()
      log.notice(
        "the terms of a list were changed",
        metadata: [
          "list": "\(list.name)", "priority": "\(list.terms.priority)",
          "stop_after": "\(list.terms.stopAfter.map(ListTerms.describe) ?? "never")",
        ])
      return ListDocument(try queue.list(named: name) ?? list, etaAt: nil)
    }
  }

  func cancel(list name: String) async throws -> CancelResult {
    try await Self.onQueue(queues.bulk) { () throws in
      guard let list = try queue.list(named: name) else { throw Self.noList(name) }
      if list.importedAt != nil, list.keys.open == 0 {
        let state = list.cancelledAt == nil ? "done" : "already cancelled"
        throw ControlError(
          .conflict, "the list “\(PrintableText.escape(name))” is \(state): nothing is left to cancel",
          hint: "keyreg outcomes --list NAME shows what became of its keys")
      }
      // What was done before an error stays done.
      defer {
        pool.keysChanged()
        spool.writeResults()
      }
      let cancelled = try queue.cancel(
        list.id, at: .now(), step: { pool.keysChanged() }, inFlight: pool.rowsInFlight)
      return CancelResult(cancelled: cancelled, inFlight: queue.keysAwaited(of: list.id))
    }
  }

  func check() async throws -> CheckDocument {
    try await Self.onQueue(queues.checks) { () throws in checked.current(checkOnline) }
  }

  func reload() async throws -> ReloadResult {
    try await Self.onQueue(queues.commands) { () throws in
      do {
        let (changed, needsRestart) = try reloadSettings()
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
}
