import Curl
import Glibc
package import Registration

/// The command's side of the control socket: one call, one connection, blocking its thread.
///
/// Every call throws `ControlClientError`.
package struct ControlClient: Sendable {
  /// The largest answer that is kept in memory, in bytes; a page of lists is the largest.
  private static let answerLimit = 16 * 1024 * 1024

  package let socket: String
  private let timeoutMilliseconds: Int

  /// - Parameter timeout: For a complete answer. Streams, and calls that may change millions of rows, have none:
  ///   `health`, called meanwhile, shows whether the daemon is alive.
  package init(socket: String, timeout: Duration = .seconds(5)) {
    self.socket = socket
    let (seconds, attoseconds) = timeout.components
    timeoutMilliseconds = max(1, Int(clamping: seconds * 1000 + attoseconds / 1_000_000_000_000_000))
  }

  package func status() throws -> StatusDocument { try document("GET", "/v1/status") }

  /// One page of lists.
  package func lists(_ query: ListQuery = ListQuery()) throws -> ListsDocument {
    var parameters = ["after=\(query.after)", "limit=\(query.limit)"]
    if let isActive = query.isActive { parameters.append("active=\(isActive)") }
    return try document("GET", "/v1/lists?\(parameters.joined(separator: "&"))")
  }

  package func list(_ name: String) throws -> ListDocument {
    try document("GET", "/v1/lists/\(PercentEncoding.encode(name))")
  }

  /// The minutes from `since` on, or all that are kept.
  package func history(since: Timestamp? = nil) throws -> HistoryDocument {
    try document("GET", "/v1/history" + (since.map { "?since=\($0)" } ?? ""))
  }

  package func limits() throws -> LimitsDocument { try document("GET", "/v1/limits") }

  package func key(_ id: AppKeyID) throws -> KeyDocument { try document("GET", "/v1/keys/\(id)") }

  package func health() throws -> HealthDocument {
    // 503 carries the same document, and is a normal answer.
    try document("GET", "/healthz", accepting: [200, 503])
  }

  /// OpenMetrics text.
  package func metrics() throws -> String {
    String(decoding: try exchange("GET", "/metrics", body: nil).body, as: UTF8.self)
  }

  package func pause(reason: String?) throws -> StatusDocument {
    try document("POST", "/v1/pause", body: PauseRequest(reason: reason))
  }

  package func resume() throws -> StatusDocument { try document("POST", "/v1/resume", bytes: []) }

  package func retry(_ request: RetryRequest) throws -> RetryResult {
    try document("POST", "/v1/retry", bytes: try DocumentCoding.encode(request), timeout: 0)
  }

  package func cancel(_ list: String) throws -> CancelResult {
    try document("POST", "/v1/lists/\(PercentEncoding.encode(list))/cancel", bytes: [], timeout: 0)
  }

  package func reload() throws -> ReloadResult { try document("POST", "/v1/reload", bytes: []) }

  /// Takes as long as the API does.
  package func check() throws -> CheckDocument { try document("POST", "/v1/check", bytes: [], timeout: 0) }

  /// Passes on the outcomes piece by piece as they arrive, in the form of `format` (`jsonl` or `csv`). When `onBytes`
  /// returns false, the rest is not read.
  package func outcomes(
    _ query: OutcomeQuery, format: String = "jsonl", onBytes: @escaping (UnsafeRawBufferPointer) -> Bool
  ) throws {
    let parameters = ["format=\(PercentEncoding.encode(format))"] + query.parameters
    try stream("/v1/outcomes?\(parameters.joined(separator: "&"))", onBytes: onBytes)
  }

  /// Passes on a consistent copy of the queue piece by piece. When `onBytes` returns false, the rest is not read.
  package func backup(onBytes: @escaping (UnsafeRawBufferPointer) -> Bool) throws {
    try stream("/v1/backup", onBytes: onBytes)
  }

  /// Passes on a status at once and after every change, until `onStatus` returns false or the daemon stops.
  package func events(onStatus: @escaping (StatusDocument) -> Bool) throws {
    var reader = EventReader()
    var failure: (any Error)?
    try stream("/v1/events") { bytes in
      do {
        for data in reader.read(bytes) {
          guard onStatus(try DocumentCoding.decode(StatusDocument.self, from: data)) else { return false }
        }
        return true
      } catch {
        failure = error
        return false
      }
    }
    if let failure { throw ControlClientError.malformed(UnreadableAnswer.describe(failure)) }
  }

  // MARK: - One exchange

  func document<Document: Decodable>(
    _ method: String, _ target: String, body: some Encodable
  ) throws -> Document {
    try document(method, target, bytes: try DocumentCoding.encode(body))
  }

  func document<Document: Decodable>(
    _ method: String, _ target: String, bytes: [UInt8]? = nil, accepting statuses: Set<Int> = [200],
    timeout: Int? = nil
  ) throws -> Document {
    let reply = try exchange(method, target, body: bytes, accepting: statuses, timeout: timeout)
    do {
      return try DocumentCoding.decode(Document.self, from: reply.body)
    } catch {
      throw ControlClientError.malformed(UnreadableAnswer.describe(error))
    }
  }

  /// - Parameter timeout: In milliseconds; 0 for none.
  func exchange(
    _ method: String, _ target: String, body: [UInt8]?, accepting statuses: Set<Int> = [200], timeout: Int? = nil
  ) throws -> CurlReply {
    var request = CurlRequest(method: method, url: "http://localhost\(target)")
    request.body = body
    request.timeout = timeout ?? timeoutMilliseconds
    request.bodyLimit = Self.answerLimit
    let reply = try perform(request)
    guard !reply.isBodyTruncated else {
      throw ControlClientError.malformed("it is larger than \(Self.answerLimit) bytes")
    }
    guard statuses.contains(reply.status) else { throw Self.refusal(reply.status, reply.body) }
    return reply
  }

  /// The status is known only after the body was passed on. So the first bytes are held back until they cannot be an
  /// error document: no stream begins like one.
  private func stream(_ target: String, onBytes: @escaping (UnsafeRawBufferPointer) -> Bool) throws {
    var request = CurlRequest(method: "GET", url: "http://localhost\(target)")
    request.timeout = 0
    let mark = Array(#"{"error":"#.utf8)
    var held: [UInt8] = []
    var isStream = false
    var isEnough = false
    let reply = try perform(request) { bytes in
      if !isStream {
        held += bytes
        if mark.starts(with: held.prefix(mark.count)) { return held.count <= 64 * 1024 }
        isStream = true
        isEnough = !held.withUnsafeBytes(onBytes)
      } else {
        isEnough = !onBytes(bytes)
      }
      return !isEnough
    }
    if let reply, reply.status != 200 { throw Self.refusal(reply.status, held) }
    if !isStream, !held.isEmpty { throw ControlClientError.malformed("it begins like an error but is not one") }
  }

  /// Nil when `onBody` wanted no more.
  private func perform(_ request: CurlRequest, onBody: @escaping (UnsafeRawBufferPointer) -> Bool) throws -> CurlReply?
  {
    do {
      return try exchange(request, onBody: onBody)
    } catch  where error.kind == .stopped {
      return nil
    } catch {
      throw failure(error)
    }
  }

  private func perform(_ request: CurlRequest) throws -> CurlReply {
    do { return try exchange(request) } catch { throw failure(error) }
  }

  /// Waits for its turn, as long as for an answer: when many clients come at once, the system refuses the rest.
  private func exchange(
    _ request: CurlRequest, onBody: ((UnsafeRawBufferPointer) -> Bool)? = nil
  ) throws(CurlError) -> CurlReply {
    let end = ContinuousClock.now + .milliseconds(timeoutMilliseconds)
    while true {
      do {
        return try EasyHandle(route: CurlRoute(unixSocket: socket)).perform(request, onBody: onBody)
      } catch  where isCrowded(error) && .now < end {
        usleep(10_000)
      }
    }
  }

  /// The socket's backlog is full; libcurl often does not say why it could not connect then.
  private func isCrowded(_ error: CurlError) -> Bool {
    error.kind == .unreachable && [EAGAIN, 0].contains(error.systemError) && socket.utf8.count < 108
  }

  private func failure(_ error: CurlError) -> ControlClientError {
    switch (error.kind, error.systemError) {
    case (.unreachable, ENOENT), (.unreachable, ECONNREFUSED): .notRunning(socket: socket)
    case (.unreachable, EACCES), (.unreachable, EPERM): .forbidden(socket: socket, reason: reason(error))
    case (.unreachable, _) where isCrowded(error): .timedOut
    case (.unreachable, _), (.unusable, _), (.proxy, _), (.tls, _): .unreachable("\(socket): \(reason(error))")
    case (.timedOut, _): .timedOut
    case (.interrupted, _): .cutOff
    case (.protocolViolation, _), (.stopped, _), (.stale, _): .malformed(error.message)
    }
  }

  private func reason(_ error: CurlError) -> String {
    error.systemError == 0 ? error.message : String(cString: strerror(error.systemError))
  }

  private static func refusal(_ status: Int, _ body: [UInt8]) -> ControlClientError {
    guard let document = try? DocumentCoding.decode(ErrorDocument.self, from: body) else {
      // Not an error of the daemon; only the status is known.
      return .malformed("status \(status)")
    }
    return .refused(
      status: status, code: document.error.code, message: document.error.message, hint: document.error.hint)
  }
}

/// Extracts the `data` of each event from an event stream that arrives in pieces.
struct EventReader {
  private var line: [UInt8] = []
  private var data: [UInt8] = []

  mutating func read(_ bytes: UnsafeRawBufferPointer) -> [[UInt8]] {
    var events: [[UInt8]] = []
    for byte in bytes {
      guard byte == UInt8(ascii: "\n") else {
        line.append(byte)
        continue
      }
      let field = Array("data: ".utf8)
      if line.isEmpty, !data.isEmpty {
        events.append(data)
        data = []
      } else if line.starts(with: field) {
        data += line.dropFirst(field.count)
      }
      line = []
    }
    return events
  }
}
