/// Why the control server cannot start, and what can be done about it.
package struct ControlServerError: Error, Equatable, Sendable, CustomStringConvertible {
  package let message: String
  package let hint: String?
  /// Another daemon listens there.
  package let isInUse: Bool
  /// The daemon's user may not do it.
  package let isDenied: Bool

  init(_ message: String, hint: String? = nil, isInUse: Bool = false, isDenied: Bool = false) {
    self.message = message
    self.hint = hint
    self.isInUse = isInUse
    self.isDenied = isDenied
  }

  package var description: String { hint.map { "\(message) (\($0))" } ?? message }
}
