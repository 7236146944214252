/// Something in the spool that the operator should know and that stops nothing else. Each is reported once.
package enum SpoolWarning: Hashable, Sendable {
  /// Not a regular file. It stays where it is.
  case notRegular(FileName, FileStatus.Kind)
  /// A list that the daemon may not read. It is taken as soon as it can be.
  case unreadable(FileName)
  /// A list that cannot be claimed.
  case unclaimed(FileName, SpoolError)
  /// A list that was changed after `submit` had put it there with these options, which no longer apply.
  case lostOptions(FileName, [String])
  /// No events: the spool is only scanned from time to time.
  case scanningOnly(SpoolError)
  /// The spool cannot be scanned.
  case unavailable(SpoolError)

  /// What to do about it.
  package var hint: String? {
    switch self {
    case .notRegular: "drop the list itself: links are not followed, and folders are not searched"
    case .unreadable(let name):
      "chmod g+r \(name.shellWord(in: "incoming") ?? "on it"), and chgrp it to the daemon's group if it has another; or drop it "
        + "with keyreg submit"
    case .lostOptions: "submit it again with these options; keyreg set changes --priority and --stop-after of a list"
    case .unclaimed(_, let error), .scanningOnly(let error), .unavailable(let error): error.hint
    }
  }
}

extension SpoolWarning: CustomStringConvertible {
  package var description: String {
    switch self {
    case .notRegular(let name, let kind):
      "incoming/\(name) is a \(kind.rawValue), not a regular file; it is left there"
    case .unreadable(let name): "incoming/\(name) cannot be read by the daemon"
    case .unclaimed(let name, let error): "incoming/\(name) cannot be taken: \(error.message)"
    case .lostOptions(let name, let options):
      "incoming/\(name) was changed after keyreg submit had put it there: it is read without \(options.joined(separator: " "))"
    case .scanningOnly(let error), .unavailable(let error): error.message
    }
  }
}
