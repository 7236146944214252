/// The state of a key. The raw values are stored in the queue: they never change.
///
/// `pending → registered | failed | cancelled`; `retrying` is a pending key that waits for another attempt. Keys in
/// flight are known only to the running daemon and have no stored state: after a kill they are simply still pending.
package enum KeyState: Int, Sendable, CaseIterable {
  case pending = 0
  case retrying = 1
  case registered = 2
  case failed = 3
  case cancelled = 4

  /// The name in documents, tables and CSV.
  package var name: String { String(describing: self) }

  package init?(name: some StringProtocol) {
    guard let state = Self.allCases.first(where: { $0.name == name }) else { return nil }
    self = state
  }

  /// True when nothing more is sent for the key unless an operator asks for it.
  package var isFinal: Bool { self == .registered || self == .failed || self == .cancelled }
}
