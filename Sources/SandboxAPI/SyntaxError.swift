/// A limit, a duration or a list of faults that cannot be parsed: what was written, and what is allowed.
package struct SyntaxError: Error, Equatable, CustomStringConvertible {
  /// What is wrong, quoting the text.
  package let message: String
  /// What is allowed instead.
  package let hint: String

  package init(_ message: String, hint: String) {
    self.message = message
    self.hint = hint
  }

  package var description: String { "\(message) (\(hint))" }
}
