package import Curl
import Foundation
package import RateLimit
package import Registration

/// How the API is reached: everything that a reload may change, in one value.
package struct APISettings: Equatable, Sendable {
  package var endpoint: Endpoint
  package var credentials: Credentials
  package var route: CurlRoute
  /// Milliseconds in which a connection must be made.
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

/// One request and its result.
package struct Exchange: Sendable {
  package var verdict: Verdict
  package var paced: PacedReply
  /// Nil when there was no reply.
  package var status: Int?
  /// Seconds.
  package var duration: Double
  /// Headers that the vendor's support asks for, if there were any.
  package var diagnostics: [(name: String, value: String)] = []

  package init(verdict: Verdict, paced: PacedReply, status: Int?, duration: Double) {
    self.verdict = verdict
    self.paced = paced
    self.status = status
    self.duration = duration
  }
}

/// The register endpoint over one connection. Created, used and released on one thread.
package final class RegistrationClient {
  private let settings: APISettings
  private let handle: EasyHandle
  private let headers: [(name: String, value: String)]
  private let putHeaders: [(name: String, value: String)]
  private let redaction: Redaction
  private let names = ShownName()

  /// Throws `CurlError` when the route cannot be used (for example if the CA file is missing).
  package init(_ settings: APISettings, version: String) throws(CurlError) {
    self.settings = settings
    handle = try EasyHandle(route: settings.route, userAgent: "keyreg/\(version)")
    redaction = Redaction(
      of: [settings.credentials.apiKey, settings.credentials.appKey].compactMap(\.self),
      proxies: Self.proxies(settings.route))
    headers =
      [("Accept", "application/json"), ("DD-APPLICATION-KEY", settings.credentials.appKey.exposed)]
      + (settings.credentials.apiKey.map { [("DD-API-KEY", $0.exposed)] } ?? [])
    // A PUT without a body must say so, or some gateways answer 411.
    putHeaders = headers + [("Content-Length", "0")]
  }

  /// Registers one key. Blocks until the reply or a deadline. Registering again is harmless: PUT is idempotent.
  ///
  /// - Parameter wallClock: Seconds since 1970, for a reset given as a date by a server that sends no Date.
  package func register(_ id: AppKeyID, wallClock: Double) -> Exchange {
    var request = CurlRequest(method: "PUT", url: settings.endpoint.registration(of: id))
    request.headers = putHeaders
    // Every request has its own permit: libcurl must not repeat it silently.
    request.isSentOnce = true
    request.connectTimeout = settings.connectTimeout
    request.timeout = settings.timeout
    do {
      let reply = try handle.perform(request)
      let exchange = Exchange(reply, redaction: redaction, names: names, registering: id, wallClock: wallClock)
      // It may confirm another key: then all further answers on this connection would be one request late.
      if case .unsettled(..<300, _, _) = exchange.verdict { handle.distrustConnection() }
      return exchange
    } catch {
      return Exchange(error)
    }
  }

  /// Reads the first registration, to see whether the credentials are accepted. Blocks until the reply or a deadline.
  package func onlineCheck() -> OnlineCheck {
    var request = CurlRequest(method: "GET", url: settings.endpoint.firstRegistration)
    request.headers = headers
    request.connectTimeout = settings.connectTimeout
    request.timeout = settings.timeout
    do {
      return OnlineCheck(try handle.perform(request), from: settings.endpoint, redaction: redaction)
    } catch {
      return OnlineCheck(error, at: settings.endpoint)
    }
  }
}

extension RegistrationClient {
  /// The proxy that is set, or those among which libcurl chooses.
  private static func proxies(_ route: CurlRoute) -> [String] {
    if let proxy = route.proxy { return [proxy] }
    let environment = ProcessInfo.processInfo.environment
    return ["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"].compactMap { environment[$0] }
  }
}

extension Exchange {
  /// The meaning of the reply is read from its original text: a short credential may be part of an ordinary word or
  /// number.
  ///
  /// - Parameters:
  ///   - redaction: For all text that is kept, once it was read.
  ///   - names: Remembers how the name of the limit is shown.
  init(_ reply: CurlReply, redaction: Redaction, names: ShownName, registering id: AppKeyID, wallClock: Double) {
    verdict = Verdict(
      status: reply.status, body: reply.body, isBodyTruncated: reply.isBodyTruncated,
      location: (300..<400).contains(reply.status) ? reply.headers["location"] : nil,
      redaction: redaction, registering: id)
    var reading = RateLimitReading(
      headers: reply.headers.named(RateLimitReading.fields), body: reply.status == 429 ? reply.body : nil,
      wallClock: wallClock)
    if let name = reading?.name { reading?.name = names.shown(name) { redaction($0) } }
    if reply.status == 429, let said = reading, said.retryAfter == nil, said.limit == nil {
      // A reset without a limit is all that says when to come back.
      reading?.retryAfter = said.reset
    }
    paced = PacedReply(kind: verdict.pacing, reading: reading)
    status = reply.status
    duration = reply.duration
    diagnostics = Self.diagnosticNames.compactMap { name in
      reply.headers[name].map { (name, PrintableText.escape(redaction($0), limit: 100)) }
    }
  }

  private static let diagnosticNames = ["x-dd-version", "x-dd-debug", "dd-pool", "via"]

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

  /// Whether it was sent, so that the API may have counted it.
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
  /// What the pacer needs to know about it.
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
