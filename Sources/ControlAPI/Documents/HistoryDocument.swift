package import Registration

/// The answer to `GET /v1/history`: each minute of the last day in which the daemon ran, oldest first.
package struct HistoryDocument: Codable, Equatable, Sendable {
  package var minutes: [MinuteDocument]

  package init(minutes: [MinuteDocument]) {
    self.minutes = minutes
  }
}

/// What happened in one minute.
package struct MinuteDocument: Codable, Equatable, Sendable {
  /// Milliseconds from request to reply; null in a minute without replies.
  package struct Latency: Codable, Equatable, Sendable {
    @ExplicitNull package var p50: Int?
    @ExplicitNull package var p90: Int?

    package init(p50: Int? = nil, p90: Int? = nil) {
      _p50 = ExplicitNull(wrappedValue: p50)
      _p90 = ExplicitNull(wrappedValue: p90)
    }
  }

  /// When the minute began.
  package var at: Timestamp
  /// Keys that were registered, and keys that failed.
  package var registered: Int
  package var failed: Int
  /// Requests that were answered with 429.
  package var throttled: Int
  /// Requests that neither registered a key nor were answered with 429.
  package var otherRequests: Int
  package var latency: Latency
  /// What was left of the rate limit when the minute was last looked at; null while unknown.
  @ExplicitNull package var remaining: Int?
  /// When the minute was last looked at.
  package var state: StatusDocument.State

  private enum CodingKeys: String, CodingKey {
    case at, registered, failed, throttled, remaining, state
    case otherRequests = "other_requests"
    case latency = "latency_ms"
  }

  package init(
    at: Timestamp, registered: Int = 0, failed: Int = 0, throttled: Int = 0, otherRequests: Int = 0,
    latency: Latency = Latency(), remaining: Int? = nil, state: StatusDocument.State
  ) {
    self.at = at
    self.registered = registered
    self.failed = failed
    self.throttled = throttled
    self.otherRequests = otherRequests
    self.latency = latency
    _remaining = ExplicitNull(wrappedValue: remaining)
    self.state = state
  }
}
