/// The properties of one sandbox. Every value has the default of the command line.
package struct SandboxConfiguration: Sendable {
  /// What the rate-limit headers say.
  package enum Headers: String, CaseIterable, Sendable {
    /// `X-RateLimit-*` wherever the real API was seen to send them.
    case full
    case none
    /// Only `Retry-After`, and only with 429.
    case retryAfter = "retry-after"
  }

  /// The two keys that a request must carry.
  package struct Credentials: Hashable, Sendable {
    package var apiKey: String
    package var applicationKey: String

    package init(apiKey: String, applicationKey: String) {
      self.apiKey = apiKey
      self.applicationKey = applicationKey
    }
  }

  /// An address or a name to listen on.
  package var host = "127.0.0.1"
  /// 0…65,535; 0 lets the system choose.
  package var port = 0
  package var limit: Quota
  package var algorithm = ServerLimit.Algorithm.fixed
  package var headers = Headers.full
  /// The time from a request's arrival to its answer, without the server's own processing. Half of it passes before the
  /// request is counted, as on a network.
  package var latency = Duration.zero
  package var faults = FaultPlan.none
  /// The file that gets one JSON line per request. Appended to, and created if missing.
  package var journal: String?
  /// Nil: any two keys that are not empty.
  package var credentials: Credentials?

  package init(limit: Quota) {
    self.limit = limit
  }
}
