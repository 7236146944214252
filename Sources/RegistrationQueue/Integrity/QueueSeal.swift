import Registration
import Synchronization

/// What is done about damage that is found while the queue is in use, and when it is looked for.
extension RegistrationQueue {
  /// Why nothing is written any more, nil while the queue is sound as far as anybody knows.
  package var fault: QueueError? { damage.withLock { $0 } }

  /// Throws once damage was found.
  func requireSound() throws {
    if let fault { throw fault }
  }

  /// Damage was found: from now on every write, and every look for work, gets the error that this returns. The next start
  /// looks the queue through before it writes anything.
  @discardableResult
  package func seal(_ what: String) -> QueueError {
    let (error, isFirst) = damage.withLock { damage in
      if let damage { return (damage, false) }
      let error = QueueError.sealed(what)
      damage = error
      return (error, true)
    }
    if isFirst {
      // Without the note the next start finds the damage as this run did.
      try? note(.damaged)
      // Never closed: the last connection that closes writes the log into the database, whatever the database is like.
      _ = Unmanaged.passRetained(pool)
    }
    return error
  }

  static let checked = "checked_at"

  /// Whether the whole queue should be looked through: after a run that did not end well, and every week.
  package var isCheckDue: Bool {
    guard let last = checkedAt.withLock({ $0 }) else { return true }
    return clock.withLock { $0.advance().sure } > last.adding(seconds: 7 * 86_400)
  }

  /// Every part was found sound; an earlier run's suspicion is over.
  func noteSound() throws {
    let now = clock.withLock { $0.advance().sure }
    try remember(now, named: Self.checked)
    checkedAt.withLock { $0 = now }
    if isSuspect { try note(.open) }
  }
}
