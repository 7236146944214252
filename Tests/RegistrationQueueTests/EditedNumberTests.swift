import GRDB
import Registration
import Testing

@testable import RegistrationQueue

/// Anybody may have edited the file: a number in it neither ends the process nor loses an outcome.
@Suite struct EditedNumberTests {
  private static let bounds: [Int64] = [.max, .min, 1 << 62, -1]

  /// Every number in the queue that is added to, one after the other.
  @Test(arguments: [
    "list.pending", "list.retrying", "list.registered", "list.failed", "list.cancelled", "list.owned_open",
    "list.entries", "list.accepted", "list.latest_at", "list.arrived_at", "list.bytes", "list.modified_ns",
    "tally.count",
    "key.attempts", "key.due_at", "key.first_attempt_at", "key.finished_at", "key.id", "key.http_status",
    "key.recorded",
  ])
  func anEditedNumberEndsNothing(column: String) throws {
    let name = column.split(separator: ".")
    for number in Self.bounds {
      let temporary = try TemporaryQueue()
      try temporary.add(keys(3), as: "a")
      let due = try temporary.due()
      try temporary.record(due[1], .retry(due: temporary.clock.wall.adding(seconds: 60)))
      try temporary.queue.pool.write { database in
        // Of a key, one alone: ids are unique.
        let only = name[0] == "key" ? "WHERE id = \(due[1].row)" : ""
        try database.execute(sql: "PRAGMA foreign_keys = OFF; UPDATE \(name[0]) SET \(name[1]) = \(number) \(only)")
      }
      try? temporary.reopen()
      let queue = temporary.queue
      let uses: [() throws -> Void] = [
        { try temporary.record(due[0], .registered, status: 201) }, { try temporary.add(keys(3, from: 10), as: "b") },
        { try temporary.add(keys(3), as: "c") }, { _ = try queue.cancel(1, at: temporary.clock.wall) },
        { _ = try queue.retry(RetrySelection()) }, { _ = try queue.secondsUntilDue() },
        { _ = try queue.outcomes(limit: 10) },
        { _ = try queue.outcomes(recordedAfter: 0, until: .max, limit: 10) },
        { _ = try queue.key(due[1].id) }, { _ = try queue.openKeysAhead() },
      ]
      for use in uses {
        do {
          try use()
        } catch {
          // The daemon holds.
          let known = try #require(error as? QueueError)
          let text = "\(column) = \(number): \(known)"
          #expect(known.kind == .disk && text.contains("damaged") && text.contains("keyreg restore"), "\(text)")
        }
      }
      _ = (queue.tally.total, queue.openProgress, queue.listTotals)
    }
  }

  @Test(arguments: [("list", "registered", "list a"), ("tally", "count", "tally")])
  func aCountThatOverflowsIsDamageAndTheNextStartSaysSo(table: String, column: String, shown: String) throws {
    let temporary = try TemporaryQueue()
    try temporary.add(keys(3), as: "a")
    try temporary.queue.pool.write { try $0.execute(sql: "UPDATE \(table) SET \(column) = 9223372036854775807") }
    let key = try #require(try temporary.due().first)
    #expect { try temporary.record(key, .registered, status: 201) } throws: { ($0 as? QueueError)?.kind == .disk }
    #expect(temporary.queue.fault != nil)
    let files = try temporary.copy()
    let queue = try RegistrationQueue(path: files.database.path)
    #expect(queue.isSuspect)
    #expect(try QueueCheck(queue).run() == .damaged("a count of the \(shown) is impossible"))
  }
}
