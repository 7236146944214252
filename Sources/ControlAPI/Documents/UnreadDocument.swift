/// A file in the spool that is not read, or cannot be used as a list.
package struct UnreadDocument: Codable, Equatable, Sendable {
  package enum State: OpenWord {
    /// It cannot be read at the moment; it is taken as soon as it can be.
    case blocked
    /// It is in `rejected/`.
    case rejected
    /// It is ignored because of its name.
    case ignored
    case other(String)

    package static let allCases: [State] = [.blocked, .rejected, .ignored]

    package var rawValue: String {
      switch self {
      case .blocked: "blocked"
      case .rejected: "rejected"
      case .ignored: "ignored"
      case .other(let word): word
      }
    }
  }

  package var name: String
  package var state: State
  package var reason: String
  /// What to do about it.
  @ExplicitNull package var hint: String?

  package init(name: String, state: State, reason: String, hint: String? = nil) {
    self.name = name
    self.state = state
    self.reason = reason
    _hint = ExplicitNull(wrappedValue: hint)
  }
}
