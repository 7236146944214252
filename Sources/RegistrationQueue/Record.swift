import GRDB
package import Registration

extension RegistrationQueue {
  /// Commits results in one transaction. When this returns they are on disk.
  package func record(_ results: [KeyResult]) throws {
    try write("record outcomes") { database, changes in
      let find = try HotStatement(
        "SELECT state, list_id, attempts, first_attempt_at FROM key WHERE id = ?", in: database)
      let update = try HotStatement(
        """
        UPDATE key SET state = ?, attempts = ?, http_status = ?, first_attempt_at = COALESCE(first_attempt_at, ?),
          finished_at = ?, due_at = ?, error_title = ?, error_detail = ?, registrar = ?, recorded = COALESCE(?, recorded),
          denied_at = CASE WHEN ? THEN ? ELSE denied_at END WHERE id = ?
        """, in: database)
      // A key that was put back to pending meanwhile starts anew.
      let charge = try HotStatement("UPDATE key SET attempts = attempts + 1 WHERE id = ? AND state = 1", in: database)
      let spare = try HotStatement("UPDATE key SET due_at = ? WHERE id = ? AND state = 1", in: database)
      let others = try OtherLists(in: database)
      var lastSuccess: Timestamp?
      for result in results {
        if result.decision == .charge {
          try charge.bind(1, result.row)
          try charge.execute()
          continue
        }
        if result.decision == .spare {
          try spare.bind(1, changes.sure.milliseconds)
          try spare.bind(2, result.row)
          try spare.execute()
          changes.waitsChanged()
          continue
        }
        let stored = try Self.stored(result.row, by: find)
        let new = Self.state(after: result.decision, from: stored.state)
        // Cancelled while it was in flight, and not registered: its list's results may already be written, and stay
        // valid.
        if stored.state.isFinal && new == stored.state && new != .registered { continue }
        let (wait, counted) = Self.waiting(result)
        // In order, whatever the wall clock did meanwhile.
        let first = stored.firstAttemptAt ?? result.sentAt
        let end = max(result.at, result.sentAt, first)
        if !new.isFinal { changes.waitsChanged() }
        if new == .registered { lastSuccess = max(result.at, lastSuccess ?? result.at) }
        try update.bind(1, new.rawValue)
        try update.bind(2, stored.attempts + counted)
        try update.bind(3, result.httpStatus)
        try update.bind(4, result.sentAt.milliseconds)
        try update.bind(5, new.isFinal ? end.milliseconds : nil)
        try update.bind(6, new == .retrying ? wait.map { changes.sure.milliseconds + $0 } : nil)
        try update.bind(7, result.errorTitle)
        try update.bind(8, result.errorDetail)
        try update.bind(9, new == .registered ? result.registrar : nil)
        try update.bind(10, new.isFinal ? changes.nextOutcomeNumber(at: end) : nil)
        try update.bind(11, Self.changesDenial(result.decision) ? 1 : 0)
        try update.bind(12, Self.isDenial(result.decision) ? result.at.milliseconds : nil)
        try update.bind(13, result.row)
        try update.execute()
        changes.move(from: stored.state, to: new, owner: stored.list, alsoIn: try others.of(result.row))
      }
      if let lastSuccess { try Self.keep(lastSuccess, named: Self.lastSuccess, in: database) }
    }
  }

  static let lastSuccess = "last_success_at"

  private static func stored(
    _ row: Int64, by find: HotStatement
  ) throws -> (state: KeyState, list: Int64, attempts: Int, firstAttemptAt: Timestamp?) {
    defer { find.reset() }
    try find.bind(1, row)
    guard try find.next(), let state = KeyState(rawValue: Int(try find.requiredInteger(0))) else {
      throw QueueError.damaged("row \(row) is not there")
    }
    return (
      state, try find.requiredInteger(1), DueKey.attempts(try find.requiredInteger(2)),
      find.integer(3).map(Timestamp.init(milliseconds:))
    )
  }

  /// For how many milliseconds a key waits, and how many attempts it has had. The rest of the wait counts from the
  /// commit, on the clock that cannot be set.
  private static func waiting(_ result: KeyResult) -> (milliseconds: Int64?, attempts: Int) {
    switch result.decision {
    case .lookAgain(let due): (due.milliseconds - result.at.milliseconds, 1)
    case .retry(let due), .postpone(let due): (due.milliseconds - result.at.milliseconds, 0)
    case .registered, .failed, .charge, .spare: (nil, 1)
    }
  }

  private static func isDenial(_ decision: KeyResult.Decision) -> Bool {
    if case .lookAgain = decision { true } else { false }
  }

  /// Whether the stored denial is replaced: other attempts leave it unchanged.
  private static func changesDenial(_ decision: KeyResult.Decision) -> Bool {
    switch decision {
    case .registered, .failed, .lookAgain: true
    case .retry, .postpone, .charge, .spare: false
    }
  }

  /// The state of a key that was cancelled while its request was in flight: a registration counts, but nothing more is
  /// tried.
  private static func state(after decision: KeyResult.Decision, from old: KeyState) -> KeyState {
    switch decision {
    case .registered: .registered
    case .failed: old == .cancelled ? .cancelled : .failed
    case .retry, .postpone, .lookAgain, .charge, .spare: old.isFinal ? old : .retrying
    }
  }
}
