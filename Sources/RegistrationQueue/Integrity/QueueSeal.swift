import Registration
import Synchronization

/// What happens when damage is found while the queue is in use, and when to look for it.
extension RegistrationQueue {
  /// Why nothing is written any more, nil while the queue is sound as far as is known.
  package var fault: QueueError? { damage.withLock { $0 } }

  /// Throws once damage was found, and while the files are not in their place.
  func requireSound() throws {
    if let fault { throw fault }
    try place.require()
  }

  /// Whether the files of the queue were removed or replaced.
  package var isDisplaced: Bool { (try? place.require()) == nil }

  /// Damage was found: from now on every write, and every request for work, gets the error that this returns. The next
  /// start checks the queue before it writes anything.
  @discardableResult
  package func seal(_ what: String) -> QueueError {
    let (error, isFirst) = damage.withLock { damage in
      if let damage { return (damage, false) }
      let error = QueueError.sealed(what)
      damage = error
      return (error, true)
    }
    if isFirst {
      // Without the mark, the next start finds the damage as this run did.
      try? note(.damaged)
      // Never closed: closing the last connection writes the log into the database, damaged or not.
      _ = Unmanaged.passRetained(pool)
    }
    return error
  }

  static let checked = "checked_at"

  /// Whether the whole queue should be checked: after a run that did not end cleanly, and every week.
  package var isCheckDue: Bool {
    guard let last = checkedAt.withLock({ $0 }) else { return true }
    return clock.withLock { $0.advance().sure } > last.adding(seconds: 7 * 86_400)
  }

  /// Every part is sound; an earlier run's suspicion is cleared.
  func noteSound() throws {
    let now = clock.withLock { $0.advance().sure }
    try remember(now, named: Self.checked)
    checkedAt.withLock { $0 = now }
    if isSuspect { try note(.open) }
  }
}
