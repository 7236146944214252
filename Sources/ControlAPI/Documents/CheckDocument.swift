/// The answer to `POST /v1/check`: what a call that changes nothing showed, with the credentials that the daemon has.
package struct CheckDocument: Codable, Equatable, Sendable {
  package enum Result: OpenWord {
    case accepted
    /// The endpoint can be reached, but the rate limit is used up.
    case limited
    /// The API does not accept the credentials.
    case refused
    /// No answer, or one that is not the API's.
    case unavailable
    case other(String)

    package static let allCases: [Result] = [.accepted, .limited, .refused, .unavailable]

    package var rawValue: String {
      switch self {
      case .accepted: "accepted"
      case .limited: "rate_limited"
      case .refused: "refused"
      case .unavailable: "unavailable"
      case .other(let word): word
      }
    }
  }

  package var result: Result
  /// One sentence for people, without a secret.
  package var message: String
  /// What to do about it, if anything.
  @ExplicitNull package var hint: String?

  package init(result: Result, message: String, hint: String? = nil) {
    self.result = result
    self.message = message
    _hint = ExplicitNull(wrappedValue: hint)
  }
}
