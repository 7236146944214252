import GRDB
package import Registration

/// What happened in one minute, for the charts of the last day.
package struct MinuteRecord: Sendable, Equatable {
  /// Minutes since 1970 on the wall clock.
  package let minute: Int64
  /// Keys that were registered, and keys that failed.
  package var registered = 0
  package var failed = 0
  /// Requests that were answered with 429.
  package var throttled = 0
  /// Requests that neither registered a key nor were answered with 429.
  package var otherRequests = 0
  /// Milliseconds from request to reply; nil in a minute without replies.
  package var p50: Int?
  package var p90: Int?
  /// What was left of the rate limit when the minute was last looked at; nil while unknown.
  package var remaining: Int?
  /// The daemon's state when the minute was last looked at.
  package var state: String

  package init(minute: Int64, state: String) {
    self.minute = minute
    self.state = state
  }

  package var at: Timestamp { Timestamp(milliseconds: minute * 60_000) }

  /// The minute that contains `time`.
  package static func minute(of time: Timestamp) -> Int64 {
    let (quotient, remainder) = time.milliseconds.quotientAndRemainder(dividingBy: 60_000)
    return remainder < 0 ? quotient - 1 : quotient
  }
}

extension RegistrationQueue {
  /// How many minutes are kept.
  package static let historyLength: Int64 = 1_440

  /// The number of the newest outcome that the stored minutes count.
  private static let counted = "history_counted_to"

  /// The minutes that are kept, oldest first, completed by outcomes that were recorded after they were stored; and which
  /// of them were completed so.
  package func history(now: Timestamp) throws -> (minutes: [MinuteRecord], unsaved: Set<Int64>) {
    let present = MinuteRecord.minute(of: now)
    return try read("read the history") { database in
      let kept = try Row.fetchAll(
        database, sql: "SELECT * FROM minute ORDER BY at DESC LIMIT \(Self.historyLength)"
      ).map(MinuteRecord.init)
      var minutes = Dictionary(kept.map { ($0.minute, $0) }) { $1 }
      // An earlier version did not store it.
      let counted =
        try Self.kept(Int64.self, named: Self.counted, in: database) ?? (kept.isEmpty ? 0 : self.newestOutcome)
      let rows = try Row.fetchCursor(
        database,
        sql: """
          SELECT finished_at / 60000 AS minute, state, COUNT(*) AS count FROM key INDEXED BY key_recorded
          WHERE recorded > ? AND state IN (2, 3) AND finished_at >= 0 GROUP BY 1, 2
          """, arguments: [counted])
      var unsaved: Set<Int64> = []
      while let row = try rows.next() {
        let minute: Int64 = row["minute"]
        guard minute > present - Self.historyLength, minute <= present else { continue }
        let isSuccess = row["state"] == KeyState.registered.rawValue
        var record = minutes[minute] ?? MinuteRecord(minute: minute, state: "working")
        if isSuccess { record.registered += row.amount("count") } else { record.failed += row.amount("count") }
        minutes[minute] = record
        unsaved.insert(minute)
      }
      return (minutes.values.sorted { $0.minute < $1.minute }, unsaved)
    }
  }

  /// Stores `minutes`, replacing what was stored for them, and removes minutes that are not of the day before `now`.
  ///
  /// - Parameter newest: The number of the newest outcome that they count.
  package func keep(_ minutes: [MinuteRecord], countedTo newest: Int64, now: Timestamp) throws {
    let present = MinuteRecord.minute(of: now)
    try write("keep the history") { database, _ in
      try Self.keep(newest, named: Self.counted, in: database)
      let insert = try database.cachedStatement(
        sql: """
          INSERT OR REPLACE INTO minute (at, registered, failed, throttled, other, p50, p90, remaining, state)
          VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
          """)
      for minute in minutes {
        try insert.execute(arguments: [
          minute.minute, minute.registered, minute.failed, minute.throttled, minute.otherRequests, minute.p50,
          minute.p90, minute.remaining, minute.state,
        ])
      }
      // Later ones were stored while the wall clock was wrong.
      try database.execute(
        sql: "DELETE FROM minute WHERE at <= ? OR at > ?", arguments: [present - Self.historyLength, present])
    }
  }
}

extension MinuteRecord {
  fileprivate init(_ row: Row) {
    self.init(minute: row["at"], state: row["state"])
    registered = row.amount("registered")
    failed = row.amount("failed")
    throttled = row.amount("throttled")
    otherRequests = row.amount("other")
    p50 = row["p50"]
    p90 = row["p90"]
    remaining = row["remaining"]
  }
}
