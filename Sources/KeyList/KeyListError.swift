/// Why a list cannot be read at all, as opposed to a bad line in it: it is not text, or its bytes cannot be read.
package struct KeyListError: Error, Hashable, Sendable {
  package enum Kind: Hashable, Sendable {
    /// A compressed file or an archive.
    case packed
    /// Text, but not in UTF-8.
    case encoding
    /// Not text.
    case binary
    /// It is not clear which ids in it are key ids.
    case ambiguous
    /// Reading failed with this `errno`: nothing is wrong with the list itself.
    case unreadable(Int32)
  }

  package var kind: Kind
  /// What is wrong, in one line without a full stop.
  package var message: String
  /// The line (from 1) where it shows, if there is one.
  package var line: Int?
  /// How to fix it.
  package var hint: String

  package init(kind: Kind, message: String, line: Int? = nil, hint: String) {
    self.kind = kind
    self.message = message
    self.line = line
    self.hint = hint
  }
}

extension KeyListError: CustomStringConvertible {
  package var description: String {
    line.map { "line \($0): \(message)" } ?? message
  }
}
