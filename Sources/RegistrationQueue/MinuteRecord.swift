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

  /// The minutes that are kept, oldest first.
  package func history() throws -> [MinuteRecord] {
    try read("read the history") { database in
      try Row.fetchAll(database, sql: "SELECT * FROM minute ORDER BY at DESC LIMIT \(Self.historyLength)").reversed()
        .map(MinuteRecord.init)
    }
  }

  /// Stores `minutes`, replacing what was stored for them, and removes minutes that are not of the day before `now`.
  package func keep(_ minutes: [MinuteRecord], now: Timestamp) throws {
    let present = MinuteRecord.minute(of: now)
    try write("keep the history") { database, _ in
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
