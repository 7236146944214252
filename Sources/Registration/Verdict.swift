/// What one exchange means for its key. What it means for the rest of the queue is decided by code that sees all of
/// them.
package enum Verdict: Hashable, Sendable {
  /// The API says that the key is registered.
  case registered(status: Int)
  /// The key itself is at fault, in the API's own words.
  case failed(status: Int, title: String, detail: String?)
  /// 429: not yet. Says nothing about the key.
  case throttled
  /// A kept-alive connection was dead: there was no answer, and nobody is at fault. Says nothing about the key.
  case stale
  /// 401: these credentials are not accepted.
  case unauthorized(detail: String?)
  /// 403 by the API itself: because of the credentials, or this one key.
  case forbidden(title: String, detail: String?)
  /// An answer, but not the API's about this key: 408, 5xx, a gateway's page of any status, a 2xx of something else.
  /// Another attempt may help.
  case unsettled(status: Int, title: String, detail: String?)
  /// No answer, and it is not known how far the request got: a time-out, a reset, no route.
  case unanswered(title: String, detail: String?)
  /// The answering server must get no further request until something changes: a redirect, or a certificate that is not
  /// accepted.
  case misdirected(status: Int?, title: String, detail: String?)
}
