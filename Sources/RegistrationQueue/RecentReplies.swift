import GRDB
import Registration

extension RegistrationQueue {
  /// The most replies that are looked up.
  private static let mostReplies = 100_000

  /// How many seconds ago replies came that probably cost quota, the oldest first, up to `seconds` ago.
  ///
  /// Known are the replies that gave a key its outcome, and the first attempts of keys that needed several. Those between
  /// them, and those of keys without an outcome, leave no trace.
  package func recentReplies(within seconds: Double) throws -> [Double] {
    let clock = clock.withLock { clock in
      _ = clock.advance()
      return clock.clock
    }
    func age(_ milliseconds: Int64) -> Double {
      Double(clock.age(of: Timestamp(milliseconds: milliseconds))) / 1_000
    }
    let ages = try read("read recent replies") { database in
      // 401 and 403 are answered before anything is counted.
      let statement = try HotStatement(
        """
        SELECT finished_at, CASE WHEN attempts > 1 THEN first_attempt_at END FROM key INDEXED BY key_recorded
        WHERE recorded IS NOT NULL AND finished_at IS NOT NULL AND http_status NOT IN (401, 403, 429)
        ORDER BY recorded DESC LIMIT \(Self.mostReplies)
        """, in: database)
      defer { statement.reset() }
      var ages: [Double] = []
      while try statement.next() {
        let last = age(try statement.requiredInteger(0))
        // The others are older.
        guard last <= seconds else { break }
        ages.append(last)
        if let first = statement.integer(1).map(age), first <= seconds { ages.append(first) }
      }
      return ages
    }
    return ages.sorted(by: >)
  }
}
