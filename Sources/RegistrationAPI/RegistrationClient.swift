package import Curl
import Foundation
package import RateLimit
package import Registration

/// How the API is reached: everything that a reload may change, in one value.
package struct APISettings: Equatable, Sendable {
  package var endpoint: Endpoint
  package var credentials: Credentials
  package var route: CurlRoute
  /// Milliseconds until a connection must stand.
  package var connectTimeout: Int
  /// Milliseconds for a whole exchange.
  package var timeout: Int

  package init(
    endpoint: Endpoint, credentials: Credentials, route: CurlRoute, connectTimeout: Int, timeout: Int
  ) {
    self.endpoint = endpoint
    self.credentials = credentials
    self.route = route
    self.connectTimeout = connectTimeout
    self.timeout = timeout
  }
}

/// One request and what came of it.
package struct Exchange: Sendable {
  package var verdict: Verdict
  package var paced: PacedReply
  /// Nil when there was no reply.
  package var status: Int?
  /// Seconds.
  package var duration: Double
  /// Headers that the vendor's support asks for, when there were any.
  package var diagnostics: [(name: String, value: String)] = []

  package init(verdict: Verdict, paced: PacedReply, status: Int?, duration: Double) {
    self.verdict = verdict
    self.paced = paced
    self.status = status
    self.duration = duration
  }
}

/// The register endpoint over one connection. Made, used and ended on one thread.
package final class RegistrationClient {
  private let settings: APISettings
  private let handle: EasyHandle
  private let headers: [(name: String, value: String)]
  private let redaction: Redaction

  /// Throws `CurlError` when the route cannot be used (no such CA file).
  package init(_ settings: APISettings, version: String) throws(CurlError) {
    self.settings = settings
    handle = try EasyHandle(route: settings.route, userAgent: "keyreg/\(version)")
    redaction = Redaction(of: [settings.credentials.apiKey, settings.credentials.appKey])
    headers = [
      ("Accept", "application/json"),
      ("DD-API-KEY", settings.credentials.apiKey.exposed),
      ("DD-APPLICATION-KEY", settings.credentials.appKey.exposed),
    ]
  }

  /// Registers one key. Blocks until the reply or a deadline. Registering again is harmless: PUT is idempotent.
  ///
  /// - Parameter wallClock: Seconds since 1970, for a reset that is given as a date by a server that sends none.
  package func register(_ id: AppKeyID, wallClock: Double) -> Exchange {
    var request = CurlRequest(method: "PUT", url: settings.endpoint.registration(of: id))
    // A PUT without a body says so, or some gateways answer 411.
    request.headers = headers + [("Content-Length", "0")]
    // Every request has a permit of its own: libcurl must not repeat it in silence.
    request.isSentOnce = true
    request.connectTimeout = settings.connectTimeout
    request.timeout = settings.timeout
    do {
      let reply = try handle.perform(request)
      return Exchange(reply, redaction: redaction, registering: id, wallClock: wallClock)
    } catch {
      return Exchange(error)
    }
  }

  /// What became of the call that changes nothing.
  package struct OnlineCheck: Sendable {
    package var status: Int
    package var detail: String
    /// The body is a list, as the API answers: anybody can say 200.
    package var isList: Bool
  }

  /// Reads the first registration, to see whether the credentials are accepted.
  ///
  /// Throws `CurlError` when there is no reply.
  package func onlineCheck() throws(CurlError) -> OnlineCheck {
    var request = CurlRequest(method: "GET", url: settings.endpoint.firstRegistration)
    request.headers = headers
    request.connectTimeout = settings.connectTimeout
    request.timeout = settings.timeout
    let reply = try handle.perform(request)
    let error = ErrorBody(reply.body, redaction: redaction)
    return OnlineCheck(
      status: reply.status, detail: error.detail ?? error.title ?? "", isList: Self.isList(reply.body))
  }
}

extension RegistrationClient {
  private static func isList(_ body: [UInt8]) -> Bool {
    struct Document: Decodable {
      struct Resource: Decodable {
        var type: String
      }
      var data: [Resource]
    }
    // What does not read is no list, whatever the reason.
    return (try? JSONDecoder().decode(Document.self, from: Data(body))) != nil
  }
}

extension Exchange {
  /// What the reply means is read from it as it came: a short credential may well be a part of an ordinary word or number.
  ///
  /// - Parameter redaction: Of all words that are kept, once they are read.
  init(_ reply: CurlReply, redaction: Redaction, registering id: AppKeyID, wallClock: Double) {
    verdict = Verdict(
      status: reply.status, body: reply.body, isBodyTruncated: reply.isBodyTruncated,
      location: reply.header("location").map { redaction($0) }, redaction: redaction, registering: id)
    var reading = RateLimitReading(
      headers: reply.headers, body: reply.status == 429 ? reply.body : nil, wallClock: wallClock)
    if let name = reading?.name { reading?.name = redaction(name) }
    if reply.status == 429, let said = reading, said.retryAfter == nil, said.limit == nil {
      // A reset without a limit is all that is said of when to come again.
      reading?.retryAfter = said.reset
    }
    paced = PacedReply(kind: verdict.pacing, reading: reading)
    status = reply.status
    duration = reply.duration
    let wanted = ["x-dd-version", "x-dd-debug", "dd-pool", "via"]
    diagnostics = reply.headers.filter { wanted.contains($0.name.lowercased()) }
      .map { ($0.name.lowercased(), PrintableText.escape(redaction($0.value), limit: 100)) }
  }

  /// No request could be made at all.
  package init(unusable detail: String) {
    verdict = .misdirected(status: nil, title: Self.title(.unusable), detail: detail)
    paced = PacedReply(kind: .unsent, reading: nil)
    status = nil
    duration = 0
  }

  package init(_ error: CurlError) {
    let detail = PrintableText.escape(error.message, limit: 300)
    switch error.kind {
    case .tls, .unusable: verdict = .misdirected(status: nil, title: Self.title(error.kind), detail: detail)
    case .stale: verdict = .stale
    default: verdict = .unanswered(title: Self.title(error.kind), detail: detail)
    }
    paced = PacedReply(kind: error.wasSent ? .unanswered : .unsent, reading: nil)
    status = nil
    duration = 0
  }

  /// Whether it left, so that the API may have counted it.
  package var wasSent: Bool { paced.kind != .unsent }

  private static func title(_ kind: CurlError.Kind) -> String {
    switch kind {
    case .unreachable: "Cannot connect"
    case .proxy: "Proxy refused"
    case .tls: "TLS refused"
    case .timedOut: "Timed out"
    case .interrupted, .stopped, .stale: "Connection lost"
    case .protocolViolation: "Not an HTTP answer"
    case .unusable: "Request cannot be made"
    }
  }
}

extension Verdict {
  /// What the pacer needs to know of it.
  var pacing: PacedReply.Kind {
    switch self {
    case .registered, .failed: .answered
    case .throttled: .throttled
    case .unauthorized, .forbidden: .refused
    case .unsettled(let status, _, _): status < 300 ? .answered : .serverError
    case .misdirected: .serverError
    case .unanswered, .stale: .unanswered
    }
  }
}
