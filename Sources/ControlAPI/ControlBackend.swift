package import Registration

/// What the control socket tells and commands: the daemon's side of it.
///
/// Every call runs on the one thread that serves all clients. It may suspend; what blocks (a database, a file) belongs on
/// a queue of its own. A `ControlError` reaches the client as it is; any other error is logged and answered with 500.
package protocol ControlBackend: Sendable {
  func status() async -> StatusDocument

  /// One page of lists, in order of arrival.
  func lists(_ query: ListQuery) async throws -> ListsDocument
  /// The newest lists, in order of arrival.
  func lists(newest count: Int) async throws -> [ListDocument]
  /// Nil when there is none of that name.
  func list(named name: String) async throws -> ListDocument?

  /// At most `limit` outcomes in order of import, those after `cursor`, or the first when it is nil. Throws
  /// `ControlError` `.notFound` when the list of the query is not known.
  func outcomes(_ query: OutcomeQuery, after cursor: Int64?, limit: Int) async throws -> OutcomePage

  /// Nil when the key is in no list.
  func key(_ id: AppKeyID) async throws -> KeyDocument?

  /// Takes a list in, piece by piece as it comes, and returns the receipt as JSON once its keys are committed.
  ///
  /// When the client goes away or sends too much, `body` throws: pass the error on and leave nothing behind.
  /// - Parameter name: What the list is to be called; nil: the daemon finds a name.
  func submit(name: String?, force: Bool, body: any AsyncSequence<[UInt8], any Error> & Sendable) async throws
    -> [UInt8]

  func pause(reason: String?) async throws -> StatusDocument
  func resume() async throws -> StatusDocument
  func retry(_ request: RetryRequest) async throws -> RetryResult
  func cancel(list: String) async throws -> CancelResult
  /// Throws `ControlError` `.unprocessable` for a bad configuration; the old one stays in force.
  func reload() async throws -> ReloadResult

  /// A consistent copy of the queue, piece by piece. What the copy needs meanwhile goes with the last owner of the stream.
  func backup() async throws -> AsyncThrowingStream<[UInt8], any Error>

  func metrics() async -> MetricsSnapshot
  func health() async -> HealthDocument

  /// A value whenever something changed that `status` tells. It may come as often as it likes: the server shows 4 a
  /// second at most.
  func changes() -> AsyncStream<Void>
}

extension ControlBackend {
  package func backup() async throws -> AsyncThrowingStream<[UInt8], any Error> {
    throw ControlError.notFound("this daemon has nothing to back up")
  }
}
