package import Registration

/// The answer to `GET /v1/limits`: the known rate limits, since when and why, and what was used.
package struct LimitsDocument: Codable, Equatable, Sendable {
  /// A limit that is obeyed now.
  package struct Limit: Codable, Equatable, Sendable {
    /// Null for a limit without a name.
    @ExplicitNull package var name: String?
    /// Requests in one period.
    package var limit: Int
    package var periodSeconds: Double
    /// `headers`, `body`, `learned` or `assumed`.
    package var source: String
    /// Null when no reply has shown it, for example because it is assumed.
    @ExplicitNull package var since: Timestamp?

    private enum CodingKeys: String, CodingKey {
      case name, limit, source, since
      case periodSeconds = "period_seconds"
    }

    package init(name: String?, limit: Int, periodSeconds: Double, source: String, since: Timestamp?) {
      _name = ExplicitNull(wrappedValue: name)
      self.limit = limit
      self.periodSeconds = periodSeconds
      self.source = source
      _since = ExplicitNull(wrappedValue: since)
    }
  }

  /// What one reply said; what it did not say is null.
  package struct Reply: Codable, Equatable, Sendable {
    package var at: Timestamp
    @ExplicitNull package var status: Int?
    @ExplicitNull package var name: String?
    @ExplicitNull package var limit: Int?
    @ExplicitNull package var periodSeconds: Double?
    @ExplicitNull package var remaining: Int?
    @ExplicitNull package var resetSeconds: Double?
    @ExplicitNull package var retryAfterSeconds: Double?

    private enum CodingKeys: String, CodingKey {
      case at, status, name, limit, remaining
      case periodSeconds = "period_seconds"
      case resetSeconds = "reset_seconds"
      case retryAfterSeconds = "retry_after_seconds"
    }

    package init(
      at: Timestamp, status: Int?, name: String? = nil, limit: Int? = nil, periodSeconds: Double? = nil,
      remaining: Int? = nil, resetSeconds: Double? = nil, retryAfterSeconds: Double? = nil
    ) {
      self.at = at
      _status = ExplicitNull(wrappedValue: status)
      _name = ExplicitNull(wrappedValue: name)
      _limit = ExplicitNull(wrappedValue: limit)
      _periodSeconds = ExplicitNull(wrappedValue: periodSeconds)
      _remaining = ExplicitNull(wrappedValue: remaining)
      _resetSeconds = ExplicitNull(wrappedValue: resetSeconds)
      _retryAfterSeconds = ExplicitNull(wrappedValue: retryAfterSeconds)
    }
  }

  /// A change of a known limit, and the reply that caused it.
  package struct Change: Codable, Equatable, Sendable {
    package var limit: Limit
    package var reply: Reply

    package init(limit: Limit, reply: Reply) {
      self.limit = limit
      self.reply = reply
    }
  }

  /// One hour of the last day, from its full hour in UTC.
  package struct Hour: Codable, Equatable, Sendable {
    package var at: Timestamp
    /// Requests that registered a key.
    package var registered: Int
    /// Requests that were answered with 429.
    package var throttled: Int
    package var otherRequests: Int

    private enum CodingKeys: String, CodingKey {
      case at, registered, throttled
      case otherRequests = "other_requests"
    }

    package init(at: Timestamp, registered: Int = 0, throttled: Int = 0, otherRequests: Int = 0) {
      self.at = at
      self.registered = registered
      self.throttled = throttled
      self.otherRequests = otherRequests
    }
  }

  package var now: Timestamp
  package var endpoint: String
  @ExplicitNull package var instance: String?
  package var limits: [Limit]
  /// When the first reply was counted, over all restarts; null before it.
  @ExplicitNull package var since: Timestamp?
  /// Replies that said something about a limit.
  package var replies: Int
  /// Replies with 429.
  package var refusals: Int
  @ExplicitNull package var lastRefusal: Reply?
  /// The last fifty, oldest first.
  package var changes: [Change]
  /// Those of the last day in which the daemon ran, oldest first.
  package var hours: [Hour]

  private enum CodingKeys: String, CodingKey {
    case now, endpoint, instance, limits, since, replies, refusals, changes, hours
    case lastRefusal = "last_refusal"
  }

  package init(
    now: Timestamp, endpoint: String, instance: String? = nil, limits: [Limit] = [], since: Timestamp? = nil,
    replies: Int = 0, refusals: Int = 0, lastRefusal: Reply? = nil, changes: [Change] = [], hours: [Hour] = []
  ) {
    self.now = now
    self.endpoint = endpoint
    _instance = ExplicitNull(wrappedValue: instance)
    self.limits = limits
    _since = ExplicitNull(wrappedValue: since)
    self.replies = replies
    self.refusals = refusals
    _lastRefusal = ExplicitNull(wrappedValue: lastRefusal)
    self.changes = changes
    self.hours = hours
  }
}
