/// Something in `incoming/` that the operator should know of and that stops nothing.
package enum SpoolWarning: Hashable, Sendable {
  /// Not a regular file. It stays where it is, and is reported once.
  case notRegular(FileName, FileStatus.Kind)
  /// No events: the spool is only looked at from time to time.
  case scanningOnly(SpoolError)
  /// `incoming/` cannot be looked at. Reported once, until it could be again.
  case unavailable(SpoolError)
}

extension SpoolWarning: CustomStringConvertible {
  package var description: String {
    switch self {
    case .notRegular(let name, let kind): "incoming/\(name) is no regular file but a \(kind.rawValue); it stays there"
    case .scanningOnly(let error), .unavailable(let error): error.message
    }
  }
}
