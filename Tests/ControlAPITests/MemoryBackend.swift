import ControlAPI
import Registration
import Synchronization

/// A daemon that keeps its lists in memory and registers nothing: small, but a real implementation.
final class MemoryBackend: ControlBackend {
  struct Breakdown: Error {}

  private struct State {
    var lists: [String: [Outcome]] = [:]
    var order: [String] = []
    var bodies: [String: [UInt8]] = [:]
    var interrupted = 0
    var pages = 0
    var pauseReason: String?
    var isPaused = false
    var isWaiting = false
    var isHealthy = true
    var breaksAfterPages = Int.max
    var reloadError: ControlError?
    var listeners: [AsyncStream<Void>.Continuation] = []
    var statusCount = 0
  }

  private let state = Mutex(State())
  let startedAt = Timestamp(milliseconds: 1_764_000_000_000)

  // MARK: - What tests set and see

  func add(list: String, _ outcomes: [Outcome]) {
    state.withLock {
      $0.lists[list] = outcomes
      $0.order.append(list)
    }
    change()
  }

  func change() {
    for listener in state.withLock({ $0.listeners }) { listener.yield() }
  }

  func wait() { state.withLock { $0.isWaiting = true } }
  func set(healthy: Bool) { state.withLock { $0.isHealthy = healthy } }
  func `break`(afterPages count: Int) { state.withLock { $0.breaksAfterPages = count } }
  func refuseReload(_ error: ControlError) { state.withLock { $0.reloadError = error } }

  var pages: Int { state.withLock { $0.pages } }
  var interrupted: Int { state.withLock { $0.interrupted } }
  var statusCount: Int { state.withLock { $0.statusCount } }
  func body(of list: String) -> [UInt8]? { state.withLock { $0.bodies[list] } }

  // MARK: - ControlBackend

  func status() async -> StatusDocument {
    state.withLock { state in
      state.statusCount += 1
      var counts: [KeyState: Int] = [:]
      for outcomes in state.lists.values { for outcome in outcomes { counts[outcome.state, default: 0] += 1 } }
      return StatusDocument(
        version: "0.1.0", pid: 4242, startedAt: startedAt, now: startedAt.adding(seconds: 1),
        state: state.isPaused ? .paused : state.isWaiting ? .waiting : .idle, reason: state.pauseReason,
        keys: .init(
          pending: counts[.pending] ?? 0, registered: counts[.registered] ?? 0, failed: counts[.failed] ?? 0),
        lists: .init(total: state.lists.count, active: 0), lastOutcome: 0)
    }
  }

  func lists(_ query: ListQuery) async throws -> ListsDocument {
    state.withLock { state in
      let all = state.order.enumerated().map { number, name in
        document(name, state.lists[name] ?? [], id: Int64(number + 1))
      }
      let wanted = all.filter { list in
        list.id > query.after && (query.isActive.map { $0 == (list.keys.pending > 0) } ?? true)
      }
      let page = Array(wanted.prefix(query.limit))
      return ListsDocument(lists: page, next: wanted.count > page.count ? page.last?.id : nil)
    }
  }

  func lists(newest count: Int) async throws -> [ListDocument] {
    state.withLock { state in state.order.suffix(count).map { document($0, state.lists[$0] ?? []) } }
  }

  func list(named name: String) async throws -> ListDocument? {
    state.withLock { state in state.lists[name].map { document(name, $0) } }
  }

  func digest(of list: String) async throws -> ListDigest? {
    guard let document = try await self.list(named: list) else { return nil }
    let failed = state.withLock { $0.lists[list] ?? [] }.filter { $0.state == .failed }
    let errors = Dictionary(grouping: failed) { $0.errorTitle ?? "" }.map { title, outcomes in
      ListDigest.ErrorGroup(status: outcomes.first?.httpStatus, text: title, keys: outcomes.count)
    }
    return ListDigest(list: document, errors: errors, slowest: failed)
  }

  func outcomes(_ query: OutcomeQuery, after cursor: Int64?, limit: Int) async throws -> OutcomePage {
    try state.withLock { state in
      if let list = query.list, state.lists[list] == nil { throw ControlError.notFound("no list \(list)") }
      state.pages += 1
      guard state.pages <= state.breaksAfterPages else { throw Breakdown() }
      let all = query.list.map { state.lists[$0] ?? [] } ?? state.order.flatMap { state.lists[$0] ?? [] }
      let wanted = query.state.map { state in all.filter { $0.state == state } } ?? all
      let start = Int(cursor ?? 0)
      let rows = Array(wanted.dropFirst(start).prefix(limit))
      return OutcomePage(rows: rows, next: start + rows.count < wanted.count ? Int64(start + rows.count) : nil)
    }
  }

  func key(_ id: AppKeyID) async throws -> KeyDocument? {
    state.withLock { state in
      for name in state.order {
        guard let outcome = state.lists[name]?.first(where: { $0.id == id }) else { continue }
        return KeyDocument(
          id: id, state: .init(outcome.state), httpStatus: outcome.httpStatus, attempts: outcome.attempts,
          error: outcome.errorTitle.map { .init(title: $0, detail: outcome.errorDetail) }, lists: [name])
      }
      return nil
    }
  }

  func submit(
    name: String?, force: Bool, terms: ListTerms, body: any AsyncSequence<[UInt8], any Error> & Sendable
  ) async throws -> [UInt8] {
    var bytes: [UInt8] = []
    do {
      for try await piece in body { bytes += piece }
    } catch {
      state.withLock { $0.interrupted += 1 }
      throw error
    }
    guard !bytes.isEmpty else { throw ControlError(.unprocessable, "the list holds no key") }
    let name = name ?? "unnamed"
    state.withLock { $0.bodies[name] = bytes }
    return Array("{\"list\":\"\(name)\",\"bytes\":\(bytes.count),\"forced\":\(force)}".utf8)
  }

  func pause(reason: String?) async throws -> StatusDocument {
    state.withLock {
      $0.isPaused = true
      $0.pauseReason = reason
    }
    change()
    return await status()
  }

  func resume() async throws -> StatusDocument {
    state.withLock {
      $0.isPaused = false
      $0.pauseReason = nil
    }
    change()
    return await status()
  }

  func retry(_ request: RetryRequest) async throws -> RetryResult {
    state.withLock { state in
      var retried = 0
      for name in state.order where request.list == nil || request.list == name {
        state.lists[name] = state.lists[name]?.map { outcome in
          var outcome = outcome
          let isAsked = request.keys.isEmpty || request.keys.contains(outcome.id)
          let isMeant = request.error.map { outcome.errorTitle?.contains($0) ?? false } ?? true
          if outcome.state == .failed, isAsked, isMeant {
            outcome.state = .pending
            retried += 1
          }
          return outcome
        }
      }
      return RetryResult(retried: retried)
    }
  }

  func cancel(list: String) async throws -> CancelResult {
    try state.withLock { state in
      guard let outcomes = state.lists[list] else { throw ControlError.notFound("no list \(list)") }
      guard outcomes.contains(where: { $0.state == .pending }) else {
        throw ControlError(.conflict, "nothing is left to cancel in \(list)")
      }
      return CancelResult(cancelled: outcomes.count { $0.state == .pending })
    }
  }

  func check() async throws -> CheckDocument {
    CheckDocument(result: .refused, message: "the API answered 403: Forbidden", hint: "check both keys")
  }

  func reload() async throws -> ReloadResult {
    if let error = state.withLock({ $0.reloadError }) { throw error }
    return ReloadResult(changed: ["workers"])
  }

  func history(since: Timestamp?) async -> HistoryDocument {
    let minutes = (0..<3).map { number in
      MinuteDocument(at: startedAt.adding(seconds: Double(number) * 60), registered: number, state: .working)
    }
    return HistoryDocument(minutes: minutes.filter { minute in since.map { minute.at >= $0 } ?? true })
  }

  func limits() async -> LimitsDocument {
    let limit = LimitsDocument.Limit(
      name: nil, limit: 100, periodSeconds: 10, source: "learned", since: startedAt)
    let refusal = LimitsDocument.Reply(at: startedAt, status: 429, retryAfterSeconds: 5)
    return LimitsDocument(
      now: startedAt, endpoint: "https://api.datadoghq.com", limits: [limit], since: startedAt, replies: 3, refusals: 3,
      lastRefusal: refusal, changes: [.init(limit: limit, reply: refusal)],
      hours: [.init(at: startedAt, registered: 40, throttled: 3, otherRequests: 1)])
  }

  func metrics() async -> MetricsSnapshot { MetricsSnapshot(version: "0.1.0") }

  func health() async -> HealthDocument {
    state.withLock { $0.isHealthy } ? HealthDocument(healthy: true) : HealthDocument(healthy: false, reason: "stuck")
  }

  func changes() -> AsyncStream<Void> {
    let (stream, continuation) = AsyncStream<Void>.makeStream()
    state.withLock { $0.listeners.append(continuation) }
    return stream
  }

  private func document(_ name: String, _ outcomes: [Outcome], id: Int64 = 1) -> ListDocument {
    ListDocument(
      name: name, id: id, state: .active, bytes: 37 * outcomes.count, arrivedAt: startedAt,
      keys: .init(
        pending: outcomes.count { $0.state == .pending }, registered: outcomes.count { $0.state == .registered },
        failed: outcomes.count { $0.state == .failed }))
  }
}
