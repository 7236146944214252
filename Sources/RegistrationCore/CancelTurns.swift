/// Whose turn it is to be cancelled: what stopped lists have left, or keys of cancelled lists that are back without an
/// outcome. One cancel at a time.
///
/// A pure value. What the disk refuses is tried again: the rest of stopped lists after the next commit, keys that are back
/// after the next batch of events.
package struct CancelTurns: Sendable {
  package enum Turn: Sendable, Hashable {
    /// The open keys of lists that were stopped.
    case stopped
    /// Keys of cancelled lists that are back without an outcome.
    case returned
  }

  /// A cancel is under way.
  package private(set) var isUnderWay = false
  private var hasStopped = false

  package init() {}

  /// Ends a batch of events. If something is to be cancelled now, `ended` must follow.
  ///
  /// - Parameters:
  ///   - hasStopped: A list was stopped since the last call.
  ///   - hasReturned: Keys of cancelled lists are back.
  package mutating func next(hasStopped: Bool, hasReturned: Bool) -> Turn? {
    self.hasStopped = self.hasStopped || hasStopped
    guard !isUnderWay, self.hasStopped || hasReturned else { return nil }
    defer { self.hasStopped = false }
    isUnderWay = true
    return self.hasStopped ? .stopped : .returned
  }

  /// The cancel has succeeded, or the disk has refused it.
  package mutating func ended() { isUnderWay = false }
}
