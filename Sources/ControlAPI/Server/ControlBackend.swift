package import Registration

/// What the control socket reports and commands: the daemon's side of it.
///
/// Every call runs on the one thread that serves all clients. It may suspend, but blocking work (a database, a file)
/// belongs on a separate dispatch queue. A `ControlError` reaches the client as it is; any other error is logged and
/// answered with 500.
package protocol ControlBackend: Sendable {
  func status() async -> StatusDocument

  /// One page of lists, in order of arrival.
  func lists(_ query: ListQuery) async throws -> ListsDocument
  /// The newest lists, in order of arrival.
  func lists(newest count: Int) async throws -> [ListDocument]
  /// Nil when there is no list of that name.
  func list(named name: String) async throws -> ListDocument?

  /// What the list's own page shows. Nil when there is no list of that name.
  func digest(of list: String) async throws -> ListDigest?

  /// At most `limit` outcomes in the order of the query, those after `cursor`, or the first ones when it is nil. Throws
  /// `ControlError` `.notFound` when the list of the query is unknown.
  func outcomes(_ query: OutcomeQuery, after cursor: Int64?, limit: Int) async throws -> OutcomePage

  /// Nil when the key is in no list.
  func key(_ id: AppKeyID) async throws -> KeyDocument?

  /// Takes a list piece by piece as it arrives, and returns the receipt as JSON once its keys are committed.
  ///
  /// If the client goes away or sends too much, `body` throws: pass the error on and leave nothing behind.
  /// - Parameter name: The list's name; if nil, the daemon chooses one.
  func submit(
    name: String?, force: Bool, terms: ListTerms, body: any AsyncSequence<[UInt8], any Error> & Sendable
  ) async throws -> [UInt8]

  /// What `submit` would do. Changes nothing and sends nothing.
  func preview(name: String?, force: Bool, body: any AsyncSequence<[UInt8], any Error> & Sendable) async throws
    -> PreviewDocument

  func pause(reason: String?) async throws -> StatusDocument
  func resume() async throws -> StatusDocument
  func retry(_ request: RetryRequest) async throws -> RetryResult
  func cancel(list: String) async throws -> CancelResult
  /// Changes how a list is processed, and returns it. Throws `ControlError` `.notFound` when there is none.
  func set(list: String, _ change: ListTermsChange) async throws -> ListDocument
  /// Throws `ControlError` `.unprocessable` for a bad configuration; the old one stays in force.
  func reload() async throws -> ReloadResult
  /// Makes one call to the API that changes nothing.
  func check() async throws -> CheckDocument

  /// A consistent copy of the queue, piece by piece. Its resources are released with the last owner of the stream.
  func backup() async throws -> AsyncThrowingStream<[UInt8], any Error>

  /// What happened in each minute of the last day, or since a time.
  func history(since: Timestamp?) async -> HistoryDocument

  /// The known rate limits, and the evidence for them.
  func limits() async -> LimitsDocument

  func metrics() async -> MetricsSnapshot
  func health() async -> HealthDocument

  /// A value whenever something changed that `status` shows. It may come at any rate: the server shows at most 4 a
  /// second.
  func changes() -> AsyncStream<Void>
}

extension ControlBackend {
  package func set(list: String, _ change: ListTermsChange) async throws -> ListDocument {
    throw ControlError.notFound("this daemon has no terms for lists")
  }

  package func preview(
    name: String?, force: Bool, body: any AsyncSequence<[UInt8], any Error> & Sendable
  ) async throws -> PreviewDocument {
    throw ControlError.notFound("this daemon cannot preview a list")
  }

  package func backup() async throws -> AsyncThrowingStream<[UInt8], any Error> {
    throw ControlError.notFound("this daemon has nothing to back up")
  }
}
