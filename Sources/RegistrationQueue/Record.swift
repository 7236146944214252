import GRDB
package import Registration

extension RegistrationQueue {
  /// Commits results in one transaction. When this returns they are on disk.
  package func record(_ results: [KeyResult]) throws {
    try write("record outcomes") { database, changes in
      let find = try database.cachedStatement(
        sql: "SELECT state, list_id, attempts, first_attempt_at FROM key WHERE id = ?")
      let update = try database.cachedStatement(
        sql: """
          UPDATE key SET state = ?, attempts = ?, http_status = ?, first_attempt_at = COALESCE(first_attempt_at, ?),
            finished_at = ?, due_at = ?, error_title = ?, error_detail = ?, registrar = ?,
            denied_at = CASE WHEN ? THEN ? ELSE denied_at END WHERE id = ?
          """)
      let refund = try database.cachedStatement(
        sql: "UPDATE key SET attempts = MAX(0, attempts - 1), due_at = ? WHERE id = ? AND state = 1")
      for result in results {
        if result.verdict == .refund {
          try refund.execute(arguments: [changes.sure.milliseconds, result.row])
          continue
        }
        guard let row = try Row.fetchOne(find, arguments: [result.row]), let old = KeyState(rawValue: row["state"])
        else {
          throw QueueError.damaged("row \(result.row) is not there")
        }
        let new = Self.state(after: result.verdict, from: old)
        // Cancelled while it was under way, and not registered: its list's results may be written already, and stand.
        if old.isFinal && new == old && new != .registered { continue }
        let (wait, counted) = Self.waiting(result)
        // In order, whatever the wall clock did meanwhile.
        let first = (row["first_attempt_at"] as Int64?).map(Timestamp.init(milliseconds:)) ?? result.sentAt
        let end = max(result.at, result.sentAt, first)
        if new.isFinal { changes.putDown(end) }
        try update.execute(arguments: [
          new.rawValue, DueKey.attempts(row) + counted, result.httpStatus, result.sentAt.milliseconds,
          new.isFinal ? end.milliseconds : nil, new == .retrying ? wait.map { changes.sure.milliseconds + $0 } : nil,
          result.errorTitle, result.errorDetail, new == .registered ? result.registrar : nil,
          Self.changesDenial(result.verdict), Self.isDenial(result.verdict) ? result.at.milliseconds : nil, result.row,
        ])
        changes.move(
          from: old, to: new, owner: row["list_id"], alsoIn: try Self.otherLists(of: result.row, in: database))
      }
    }
  }

  /// For how many milliseconds a key waits, and how many attempts were made of it. What is left of the wait is counted
  /// from the commit on, by a clock that nobody can set.
  private static func waiting(_ result: KeyResult) -> (milliseconds: Int64?, attempts: Int) {
    switch result.verdict {
    case .retry(let due), .lookAgain(let due): (due.milliseconds - result.at.milliseconds, 1)
    case .postpone(let due): (due.milliseconds - result.at.milliseconds, 0)
    case .registered, .failed, .refund: (nil, 1)
    }
  }

  private static func isDenial(_ verdict: KeyResult.Verdict) -> Bool {
    if case .lookAgain = verdict { true } else { false }
  }

  /// Whether what is kept of a denial is replaced: other attempts in between leave it.
  private static func changesDenial(_ verdict: KeyResult.Verdict) -> Bool {
    switch verdict {
    case .registered, .failed, .lookAgain: true
    case .retry, .postpone, .refund: false
    }
  }

  /// A key that was cancelled while its request was under way: what was registered is registered, but nothing more is
  /// tried for it.
  private static func state(after verdict: KeyResult.Verdict, from old: KeyState) -> KeyState {
    switch verdict {
    case .registered: .registered
    case .failed: old == .cancelled ? .cancelled : .failed
    case .retry, .postpone, .lookAgain, .refund: old.isFinal ? old : .retrying
    }
  }
}
