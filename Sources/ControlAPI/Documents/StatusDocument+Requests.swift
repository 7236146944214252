/// The members of a status about requests: their limits, and their results.
extension StatusDocument {
  /// What is known about the limit. Null means unknown.
  package struct RateLimit: Codable, Equatable, Sendable {
    @ExplicitNull package var name: String?
    /// Requests in one period.
    @ExplicitNull package var limit: Int?
    @ExplicitNull package var periodSeconds: Int?
    @ExplicitNull package var remaining: Int?
    /// Requests of this daemon that the limit counts now; null also from an earlier version.
    @ExplicitNull package var ours: Int?
    @ExplicitNull package var resetsInSeconds: Int?
    /// Requests that are left to others.
    @ExplicitNull package var reserved: Int?
    /// Where the numbers come from, for example `headers`.
    @ExplicitNull package var source: String?
    /// Until the next request may be sent; 0 when one may be sent now.
    @ExplicitNull package var waitingSeconds: Double?
    /// Replies with 429 by which the limit is known, over all restarts.
    @ExplicitNull package var refusals: Int?

    private enum CodingKeys: String, CodingKey {
      case name, limit, remaining, ours, reserved, source, refusals
      case periodSeconds = "period_seconds"
      case resetsInSeconds = "resets_in_seconds"
      case waitingSeconds = "waiting_seconds"
    }

    package init(
      name: String? = nil, limit: Int? = nil, periodSeconds: Int? = nil, remaining: Int? = nil, ours: Int? = nil,
      resetsInSeconds: Int? = nil, reserved: Int? = nil, source: String? = nil, waitingSeconds: Double? = nil,
      refusals: Int? = nil
    ) {
      _name = ExplicitNull(wrappedValue: name)
      _limit = ExplicitNull(wrappedValue: limit)
      _periodSeconds = ExplicitNull(wrappedValue: periodSeconds)
      _remaining = ExplicitNull(wrappedValue: remaining)
      _ours = ExplicitNull(wrappedValue: ours)
      _resetsInSeconds = ExplicitNull(wrappedValue: resetsInSeconds)
      _reserved = ExplicitNull(wrappedValue: reserved)
      _source = ExplicitNull(wrappedValue: source)
      _waitingSeconds = ExplicitNull(wrappedValue: waitingSeconds)
      _refusals = ExplicitNull(wrappedValue: refusals)
    }
  }

  /// Counts since the daemon started.
  package struct Requests: Codable, Equatable, Sendable {
    package var sent: Int
    package var created: Int
    package var throttled: Int
    package var clientErrors: Int
    package var serverErrors: Int
    package var transportErrors: Int
    package var latency: Latency

    private enum CodingKeys: String, CodingKey {
      case sent, created, throttled
      case clientErrors = "client_errors"
      case serverErrors = "server_errors"
      case transportErrors = "transport_errors"
      case latency = "latency_ms"
    }

    package init(
      sent: Int = 0, created: Int = 0, throttled: Int = 0, clientErrors: Int = 0, serverErrors: Int = 0,
      transportErrors: Int = 0, latency: Latency = Latency()
    ) {
      self.sent = sent
      self.created = created
      self.throttled = throttled
      self.clientErrors = clientErrors
      self.serverErrors = serverErrors
      self.transportErrors = transportErrors
      self.latency = latency
    }
  }

  /// Milliseconds from request to reply; null before the first reply.
  package struct Latency: Codable, Equatable, Sendable {
    @ExplicitNull package var p50: Int?
    @ExplicitNull package var p90: Int?
    @ExplicitNull package var p99: Int?
    @ExplicitNull package var max: Int?

    package init(p50: Int? = nil, p90: Int? = nil, p99: Int? = nil, max: Int? = nil) {
      _p50 = ExplicitNull(wrappedValue: p50)
      _p90 = ExplicitNull(wrappedValue: p90)
      _p99 = ExplicitNull(wrappedValue: p99)
      _max = ExplicitNull(wrappedValue: max)
    }
  }
}
