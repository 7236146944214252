// Why a secret could not be read. The executable turns the reason into an exit code; the texts never contain the
// secret.

import Registration

/// A credential that is missing or refused, with what to do about it.
package struct CredentialError: Error, Hashable, CustomStringConvertible {
  package enum Reason: Hashable, Sendable {
    /// There is no such file.
    case missing
    /// There is a file, but this process may not read it, or reading failed.
    case unreadable
    /// Its kind, owner or mode makes it unsafe for a secret.
    case refused
    /// What it contains cannot be a key.
    case malformed
  }

  package let reason: Reason
  /// What happened, in one printable line.
  package let message: String
  /// What to do about it, in one printable line.
  package let hint: String

  package init(_ reason: Reason, _ message: String, hint: String) {
    self.reason = reason
    self.message = PrintableText.escape(message, limit: 500)
    self.hint = PrintableText.escape(hint, limit: 500)
  }

  package var description: String { message }
}
