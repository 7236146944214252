import GRDB
package import Registration

/// Cancelling lists. A key is cancelled when no list wants it any more: at once, or, if a request for it is in flight,
/// once its reply is known and was no outcome.
extension RegistrationQueue {
  /// The error of a key that was in flight, in case its reply never comes because the process is killed.
  static let unknownReply = (
    title: "Cancelled in flight",
    detail: "its list was cancelled while a request for it was in flight; whether it was registered is not known"
  )

  /// Cancels the open keys of a list that no other active list contains. Returns how many.
  ///
  /// The list is marked first and the keys follow in steps; `finishCancels` completes what a kill interrupted. Until
  /// this returns, `dueKeys` has no key of a cancelled list.
  ///
  /// - Parameters:
  ///   - step: Called after each step.
  ///   - inFlight: Called once the list is marked: the rows that are in flight or being written. They stay open until
  ///     `cancelReturned`. From then on no other row of the list may be sent.
  package func cancel(
    _ list: Int64, at now: Timestamp, step: () -> Void = {}, inFlight: () -> Set<Int64> = { [] }
  ) throws -> Int {
    try write("cancel a list") { database, changes in
      try database.execute(
        sql: "UPDATE list SET cancelled_at = ? WHERE id = ? AND cancelled_at IS NULL",
        arguments: [now.milliseconds, list])
      changes.listsChanged()
    }
    return try cancelKeys(of: list, at: now, inFlight: inFlight, step: step)
  }

  /// Completes cancellations that a kill interrupted, and cancels the open keys of lists that were stopped. If it throws,
  /// `takeStops` asks for it again.
  ///
  /// - Parameters:
  ///   - step: Called after each step.
  ///   - inFlight: As for `cancel`.
  package func finishCancels(
    at now: Timestamp, step: () -> Void = {}, inFlight: () -> Set<Int64> = { [] }
  ) throws {
    do {
      let lists = try read("look for interrupted cancellations") { database in
        try Int64.fetchAll(
          database, sql: "SELECT id FROM list WHERE cancelled_at IS NOT NULL AND pending + retrying > 0")
      }
      for list in lists { _ = try cancelKeys(of: list, at: now, inFlight: inFlight, step: step) }
    } catch {
      cancels.withLock { $0.hasStopped = true }
      throw error
    }
  }

  /// Cancels those keys of cancelled lists that have come back without an outcome.
  ///
  /// - Parameter isInFlight: Whether the reply of this row is still outstanding, or its result not yet on disk.
  package func cancelReturned(at now: Timestamp, isInFlight: (Int64) -> Bool) throws {
    let returned = cancels.withLock { $0.awaited }.filter { !isInFlight($0.key) }
    for (list, rows) in Dictionary(grouping: returned.keys, by: { returned[$0] ?? 0 }) {
      _ = try write("cancel keys") { database, changes in
        let known = try database.cachedStatement(
          sql: "UPDATE key SET error_title = NULL, error_detail = NULL WHERE id = ? AND error_title = ?")
        for row in rows { try known.execute(arguments: [row, Self.unknownReply.title]) }
        return try Self.cancel(rows, of: list, at: now, in: database, &changes)
      }
      cancels.withLock { $0.forget(rows) }
    }
  }

  /// How many keys of a cancelled list wait for the reply to a request that was in flight.
  package func keysAwaited(of list: Int64) -> Int {
    cancels.withLock { $0.awaited.values.count { $0 == list } }
  }

  /// Whether keys of cancelled lists have come back without an outcome: `cancelReturned` then cancels them.
  package func hasReturned(isInFlight: (Int64) -> Bool) -> Bool {
    cancels.withLock { $0.awaited.keys.contains { !isInFlight($0) } }
  }

  /// Whether a list was stopped since the last call: `finishCancels` then cancels its open keys.
  package func takeStops() -> Bool {
    cancels.withLock { cancels in
      defer { cancels.hasStopped = false }
      return cancels.hasStopped
    }
  }

  private func cancelKeys(
    of list: Int64, at now: Timestamp, inFlight: () -> Set<Int64>, step: () -> Void
  ) throws -> Int {
    cancels.withLock { $0.underWay += 1 }
    defer { cancels.withLock { $0.underWay -= 1 } }
    let inFlight = inFlight()
    var total = 0
    var cursor: Int64 = 0
    while true {
      let found = try unwantedKeys(of: list, after: cursor)
      guard let last = found.last else { return total }
      let awaited = found.filter(inFlight.contains)
      cancels.withLock { $0.await(awaited, of: list) }
      total += try write("cancel keys") { database, changes in
        let note = try database.cachedStatement(
          sql: "UPDATE key SET error_title = ?, error_detail = ? WHERE id = ? AND state IN (0, 1)")
        for row in awaited { try note.execute(arguments: [Self.unknownReply.title, Self.unknownReply.detail, row]) }
        return try Self.cancel(found.filter { !inFlight.contains($0) }, of: list, at: now, in: database, &changes)
      }
      step()
      cursor = last
    }
  }

  /// Cancels those of `rows` that are still open and that no list wants.
  private static func cancel(
    _ rows: [Int64], of list: Int64, at now: Timestamp, in database: Database, _ changes: inout Changes
  ) throws -> Int {
    let find = try database.cachedStatement(
      sql: "SELECT state, list_id, first_attempt_at FROM key WHERE id = ? AND state IN (0, 1) AND \(unwanted)")
    let update = try database.cachedStatement(
      sql: """
        UPDATE key SET state = 4, finished_at = ?, due_at = NULL, error_title = COALESCE(?, error_title),
          error_detail = COALESCE(?, error_detail), recorded = ? WHERE id = ?
        """)
    let reason = try Self.list(list, in: database).stop
    let others = try OtherLists(in: database)
    var count = 0
    for id in rows {
      guard let row = try Row.fetchOne(find, arguments: [id]) else { continue }
      guard let old = KeyState(rawValue: row["state"]) else { throw QueueError.damaged("an unknown state") }
      let end = max(now, Timestamp(milliseconds: row["first_attempt_at"] ?? .min))
      try update.execute(
        arguments: [end.milliseconds, reason?.title, reason?.detail, changes.nextOutcomeNumber(at: end), id])
      changes.move(from: old, to: .cancelled, owner: row["list_id"], alsoIn: try others.of(id))
      count += 1
    }
    return count
  }

  /// Every list that contains the key is cancelled.
  private static let unwanted = """
    NOT EXISTS (
      SELECT 1 FROM list WHERE cancelled_at IS NULL
        AND (list.id = key.list_id OR list.id IN (SELECT list_id FROM also_in WHERE key_id = key.id)))
    """

  /// Open keys of a list that no other list wants, at most `stride` of them, in order. Each part uses its own index, so
  /// that finished keys of the list cost nothing.
  private func unwantedKeys(of list: Int64, after cursor: Int64) throws -> [Int64] {
    try read("look for keys to cancel") { database in
      try Int64.fetchAll(
        database,
        sql: """
          SELECT id FROM (
            SELECT * FROM (
              SELECT id FROM key INDEXED BY key_pending
              WHERE state = 0 AND list_id = ?2 AND id > ?1 AND \(Self.unwanted) ORDER BY id LIMIT \(Self.stride))
            UNION ALL SELECT * FROM (
              SELECT id FROM key INDEXED BY key_retrying
              WHERE state = 1 AND list_id = ?2 AND id > ?1 AND \(Self.unwanted) ORDER BY id LIMIT \(Self.stride))
            UNION ALL SELECT * FROM (
              SELECT key.id FROM also_in CROSS JOIN key ON key.id = also_in.key_id
              WHERE also_in.list_id = ?2 AND also_in.key_id > ?1 AND key.state IN (0, 1) AND \(Self.unwanted)
              ORDER BY also_in.key_id LIMIT \(Self.stride)))
          ORDER BY id LIMIT \(Self.stride)
          """, arguments: [cursor, list])
    }
  }
}

/// The state of cancellations in progress. In memory only: after a kill nothing is in flight.
struct Cancels {
  /// A list was stopped since `takeStops`.
  var hasStopped = false
  /// Calls that are cancelling keys. Meanwhile no key of a cancelled list is handed out.
  var underWay = 0
  /// Rows that were in flight when the last list that wanted them was cancelled, each with that list.
  private(set) var awaited: [Int64: Int64] = [:]

  mutating func await(_ rows: [Int64], of list: Int64) {
    for row in rows { awaited[row] = list }
  }

  mutating func forget(_ rows: [Int64]) {
    for row in rows { awaited[row] = nil }
  }
}
