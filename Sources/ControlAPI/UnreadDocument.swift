/// A file in the spool that is not read, or was found to be no list.
package struct UnreadDocument: Codable, Equatable, Sendable {
  package enum State: String, Codable, Sendable, CaseIterable {
    /// It cannot be read at the moment; it is taken as soon as it can be.
    case blocked
    /// It lies in `rejected/`.
    case rejected
    /// It is left alone because of its name.
    case ignored
  }

  package var name: String
  package var state: State
  package var reason: String
  /// What helps.
  @ExplicitNull package var hint: String?

  package init(name: String, state: State, reason: String, hint: String? = nil) {
    self.name = name
    self.state = state
    self.reason = reason
    _hint = ExplicitNull(wrappedValue: hint)
  }
}
