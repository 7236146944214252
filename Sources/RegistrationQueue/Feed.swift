import GRDB
package import Registration

extension DueKey {
  /// The columns of a key, in the order that `init(_:)` reads them.
  fileprivate static let columns = "id, uuid, attempts, state, denied_at"

  /// Throws `QueueError` if the row holds no key.
  fileprivate init(_ row: HotStatement) throws {
    let number = try row.requiredInteger(0)
    guard let id = row.keyID(1), let state = KeyState(rawValue: Int(try row.requiredInteger(3))) else {
      throw QueueError.damaged("row \(number) holds no key")
    }
    self.init(
      row: number, id: id, attempts: Self.attempts(try row.requiredInteger(2)), state: state,
      isDenied: state == .retrying && !row.isNull(4))
  }

  /// One of each as long as there are both, then the rest of the longer.
  package static func inTurn(_ first: [DueKey], _ second: [DueKey], limit: Int) -> [DueKey] {
    let both = min(first.count, second.count)
    let pairs = zip(first, second).flatMap { [$0, $1] }
    return Array((pairs + first.dropFirst(both) + second.dropFirst(both)).prefix(limit))
  }

  /// `first` with one of `others` in every tenth place, as long as there are both, then the rest of either.
  ///
  /// - Parameter turn: Places before these.
  package static func withShare(
    of others: [DueKey], in first: [DueKey], limit: Int, after turn: Int = 0
  ) -> [DueKey] {
    guard !others.isEmpty else { return first }
    var keys: [DueKey] = []
    var (rest, waiting) = (first[...], others[...])
    while keys.count < limit {
      let isTenth = (turn + keys.count) % 10 == 9
      let key = isTenth ? waiting.popFirst() ?? rest.popFirst() : rest.popFirst() ?? waiting.popFirst()
      guard let key else { break }
      keys.append(key)
    }
    return keys
  }

  /// A stored number, which anybody may have edited, limited so that counting on cannot overflow.
  static func attempts(_ stored: Int64) -> Int { Int(min(max(0, stored), 1_000_000)) }
}

extension RegistrationQueue {
  /// The next keys to work on: in turn one whose wait for another attempt is over and a pending one, as long as there
  /// are both, so that keys that fail again and again do not stop the others. Pending keys are in the order of their
  /// lists' priority, the highest first, then list name (bytes, as in the C locale) and line. Lists of lower priority get
  /// every tenth turn.
  ///
  /// - Parameters:
  ///   - limit: The largest number of keys.
  ///   - taken: Rows that are already in hand; they are left out.
  ///   - horizon: The longest wait that is ever set, in seconds. A key that would wait longer is due: its due time is
  ///     wrong.
  ///   - turn: How many keys are handed out before these.
  package func dueKeys(limit: Int, except taken: Set<Int64>, horizon: Double, turn: Int = 0) throws -> [DueKey] {
    // Nothing is sent whose outcome could not be stored.
    try requireSound()
    let now = clock.withLock { $0.advance().sure }
    let (taken, isCancelling) = leaving(taken)
    // While lists are being cancelled, none of their keys is handed out: it would be sent and cancelled at once.
    let wanted = isCancelling ? "AND (SELECT cancelled_at FROM list WHERE id = key.list_id) IS NULL" : ""
    let active = isCancelling ? "AND cancelled_at IS NULL" : ""
    return try read("read due keys") { database in
      func take(_ rows: HotStatement, into keys: inout [DueKey], atMost count: Int) throws {
        defer { rows.reset() }
        while keys.count < count, try rows.next() {
          if !taken.contains(try rows.requiredInteger(0)) { keys.append(try DueKey(rows)) }
        }
      }
      var again: [DueKey] = []
      func takeRetrying(_ condition: String, _ time: Timestamp) throws {
        let rows = try HotStatement(
          "SELECT \(DueKey.columns) FROM key WHERE state = 1 AND due_at \(condition) ? \(wanted) ORDER BY due_at",
          in: database)
        try rows.bind(1, time.milliseconds)
        try take(rows, into: &again, atMost: limit)
      }
      try takeRetrying("<=", now)
      try takeRetrying(">", now.adding(seconds: horizon))
      // The index is named: without statistics SQLite might scan all finished keys of the list.
      let pending = try HotStatement(
        "SELECT \(DueKey.columns) FROM key INDEXED BY key_pending WHERE state = 0 AND list_id = ? ORDER BY id",
        in: database)
      let lists = try database.cachedStatement(
        sql: """
          SELECT id FROM list INDEXED BY list_by_priority WHERE owned_open > 0 AND priority = ? \(active) ORDER BY name
          """)
      func pendingKeys(of priority: Int64, atMost count: Int) throws -> [DueKey] {
        var keys: [DueKey] = []
        let lists = try Int64.fetchCursor(lists, arguments: [priority])
        while keys.count < count, let list = try lists.next() {
          try pending.bind(1, list)
          try take(pending, into: &keys, atMost: count)
        }
        return keys
      }
      let below = try database.cachedStatement(
        sql: """
          SELECT priority FROM list INDEXED BY list_by_priority WHERE owned_open > 0 AND priority < ? \(active)
          ORDER BY priority DESC LIMIT 1
          """)
      var levels: [[DueKey]] = []
      var room = limit
      var priority = Int64.max
      while let next = try Int64.fetchOne(below, arguments: [priority]) {
        priority = next
        var level = try pendingKeys(of: priority, atMost: room)
        // Its open keys are in hand, or wait for another attempt.
        guard !level.isEmpty else { continue }
        if levels.isEmpty { level = DueKey.inTurn(again, level, limit: limit) }
        levels.append(level)
        // A tenth for lists of lower priority, or what is left once the keys of this level are taken.
        room = max(room / 10 + 1, room - level.count)
      }
      guard let first = levels.first else { return Array(again.prefix(limit)) }
      let others = levels.dropFirst().reversed().reduce([]) { DueKey.withShare(of: $0, in: $1, limit: limit) }
      return DueKey.withShare(of: others, in: first, limit: limit, after: turn)
    }
  }

  /// Pending keys of every list in turn, the last list first, from random places: canaries for a hold. The refused keys
  /// came from the front, and the next keys of the same list would probably be refused too.
  ///
  /// - Parameters:
  ///   - limit: The largest number of keys. If there are more lists than that, the last ones are used.
  ///   - taken: Rows that are already in hand.
  package func sampleKeys(limit: Int, except taken: Set<Int64>) throws -> [DueKey] {
    try requireSound()
    let (taken, isCancelling) = leaving(taken)
    let active = isCancelling ? "AND cancelled_at IS NULL" : ""
    var random = SystemRandomNumberGenerator()
    return try read("sample pending keys") { database in
      let lists = try Int64.fetchAll(
        database, sql: "SELECT id FROM list WHERE owned_open > 0 \(active) ORDER BY name DESC LIMIT ?",
        arguments: [limit])
      guard !lists.isEmpty else { return [] }
      let share = max(1, limit / lists.count)
      let bounds = try database.cachedStatement(
        // Each end of the index by itself: both in one query would scan all pending keys.
        sql: """
          SELECT (SELECT MIN(id) FROM key INDEXED BY key_pending WHERE state = 0 AND list_id = ?1),
            (SELECT MAX(id) FROM key INDEXED BY key_pending WHERE state = 0 AND list_id = ?1)
          """)
      let pending = try HotStatement(
        """
        SELECT \(DueKey.columns) FROM key INDEXED BY key_pending WHERE state = 0 AND list_id = ? AND id >= ? ORDER BY id
        """, in: database)
      var shares: [[DueKey]] = []
      for list in lists {
        guard let ends = try Row.fetchOne(bounds, arguments: [list]), let first: Int64 = ends[0] else { continue }
        var found: [DueKey] = []
        var seen = taken
        func take(from place: Int64, atMost count: Int) throws {
          defer { pending.reset() }
          try pending.bind(1, list)
          try pending.bind(2, place)
          let end = found.count + count
          while found.count < end, try pending.next() {
            if seen.insert(try pending.requiredInteger(0)).inserted { found.append(try DueKey(pending)) }
          }
        }
        for _ in 0..<share / 2 {
          try take(from: .random(in: first...max(first, ends[1]), using: &random), atMost: 1)
        }
        try take(from: first, atMost: share - found.count)
        shares.append(found)
      }
      let longest = shares.map(\.count).max() ?? 0
      return (0..<longest).flatMap { turn in shares.compactMap { turn < $0.count ? $0[turn] : nil } }
    }
  }

  /// The rows that are left out, and whether lists are being cancelled.
  private func leaving(_ taken: Set<Int64>) -> (rows: Set<Int64>, isCancelling: Bool) {
    cancels.withLock { cancels in
      (cancels.awaited.isEmpty ? taken : taken.union(cancels.awaited.keys), cancels.underWay > 0)
    }
  }

  /// Seconds until the next waiting key is due, nil when no key has a due time.
  package func secondsUntilDue() throws -> Double? {
    let now = clock.withLock { $0.advance().sure }
    return try read("read the next due time") { database in
      try Int64.fetchOne(
        try database.cachedStatement(sql: "SELECT MIN(due_at) FROM key WHERE state = 1 AND due_at > ?"),
        arguments: [now.milliseconds]
      ).map { Timestamp(milliseconds: $0).seconds(since: now) }
    }
  }
}
