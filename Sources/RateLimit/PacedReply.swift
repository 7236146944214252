// A reply as far as pacing is concerned: whether it cost quota, and what it said about the limit.

package struct PacedReply: Hashable, Sendable {
  package enum Kind: Hashable, Sendable {
    /// 2xx, or a 4xx that is the key's own: cost quota.
    case answered
    /// 429: did not cost quota, or cost it in vain.
    case throttled
    /// 401, 403: turned away before it was counted.
    case refused
    /// 5xx, 408: presumably counted.
    case serverError
    /// It never left (nobody listens, no such host, no handshake): cost nothing and says nothing.
    case unsent
    /// No reply: unknown whether it was counted, so it is taken for counted.
    case unanswered
  }

  package var kind: Kind
  package var reading: RateLimitReading?

  package init(kind: Kind, reading: RateLimitReading? = nil) {
    self.kind = kind
    self.reading = reading
  }
}
