// A reply as pacing sees it: whether it cost quota, and what it said about the limit.

package struct PacedReply: Hashable, Sendable {
  package enum Kind: Hashable, Sendable {
    /// 2xx, or a 4xx about the key itself: cost quota.
    case answered
    /// 429: did not cost quota, or cost it for nothing.
    case throttled
    /// 401, 403: turned away before it was counted.
    case refused
    /// 5xx, 408: probably counted.
    case serverError
    /// Never sent (nothing listens, no such host, no handshake): cost nothing and says nothing.
    case unsent
    /// No reply: it may have been counted, so it is treated as counted.
    case unanswered
  }

  package var kind: Kind
  package var reading: RateLimitReading?

  package init(kind: Kind, reading: RateLimitReading? = nil) {
    self.kind = kind
    self.reading = reading
  }
}
