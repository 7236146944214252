/// What one exchange means for its key. What it means for the rest of the queue is decided by whoever sees them all.
package enum Verdict: Hashable, Sendable {
  /// The API says that the key is registered.
  case registered(status: Int)
  /// The key's own fault, in the API's own word.
  case failed(status: Int, title: String, detail: String?)
  /// 429: not yet. Says nothing of the key.
  case throttled
  /// A kept-alive connection was dead: nobody answered, and nobody is at fault. Says nothing of the key.
  case stale
  /// 401: these credentials are not accepted.
  case unauthorized(detail: String?)
  /// 403 in the API's own word: the credentials, or this one key.
  case forbidden(title: String, detail: String?)
  /// Somebody answered, but not the API about this key: 408, 5xx, a gateway's page whatever its status, a 2xx of something
  /// else. Another attempt may help.
  case unsettled(status: Int, title: String, detail: String?)
  /// No answer, and nobody can tell how far the request came: a time-out, a reset, no route.
  case unanswered(title: String, detail: String?)
  /// Whoever answers is not to be trusted with another request until something changes: a redirect, a certificate that
  /// is not accepted.
  case misdirected(status: Int?, title: String, detail: String?)
}
