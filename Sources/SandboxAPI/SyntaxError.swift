/// A limit, a duration or a list of faults that cannot be read: what was written, and what may be written instead.
package struct SyntaxError: Error, Equatable, CustomStringConvertible {
  /// What is wrong, with the text that is wrong quoted.
  package let message: String
  /// What is allowed in its place.
  package let hint: String

  package init(_ message: String, hint: String) {
    self.message = message
    self.hint = hint
  }

  package var description: String { "\(message) (\(hint))" }
}
