import GRDB
import Registration
import Testing

@testable import RegistrationQueue

/// Outcomes are followed in the order in which they were recorded.
@Suite struct RecordedOutcomesTests {
  @Test func theyComeAsTheyWereRecordedHoweverOldTheyAre() throws {
    let temporary = try TemporaryQueue()
    let ids = keys(4)
    try temporary.add(ids, as: "a")
    let due = try temporary.due()
    #expect(temporary.queue.newestOutcome == 0)
    try temporary.record(due[2], .registered, status: 201)
    let seen = temporary.queue.newestOutcome
    // Recorded later, though its outcome is older.
    temporary.clock.set(by: -3_600)
    try temporary.record(due[0], .failed, status: 404, title: "Not Found")
    try temporary.record(due[1], .retry(due: temporary.clock.wall.adding(seconds: 60)))
    #expect(try temporary.recorded(after: 0) == [ids[2], ids[0]])
    #expect(try temporary.recorded(after: seen) == [ids[0]])
    #expect(try temporary.recorded(after: temporary.queue.newestOutcome).isEmpty)
  }

  @Test func aKeyThatIsTriedAgainComesAgainWithItsNewOutcome() throws {
    let temporary = try TemporaryQueue()
    let ids = keys(2)
    try temporary.add(ids, as: "a")
    for key in try temporary.due() { try temporary.record(key, .failed, status: 404) }
    let seen = temporary.queue.newestOutcome
    #expect(try temporary.queue.retry(RetrySelection(keys: [ids[1]])) == 1)
    // It has no outcome now, and its number is not used again.
    #expect(try temporary.recorded(after: 0) == [ids[0]])
    try temporary.reopen()
    #expect(temporary.queue.newestOutcome == seen)
    try temporary.record(temporary.due()[0], .registered, status: 201)
    #expect(try temporary.recorded(after: seen) == [ids[1]])
    #expect(try temporary.recorded(after: 0) == ids)
  }

  @Test func cancelledKeysAreAmongThem() throws {
    let temporary = try TemporaryQueue()
    let ids = keys(3)
    let list = try temporary.begin("a")
    try temporary.queue.importBatch(temporary.batch([ids[0]]), into: list.id, of: temporary.source("a"))
    _ = try temporary.queue.cancel(list.id, at: temporary.clock.wall)
    #expect(try temporary.recorded(after: 0) == [ids[0]])
    // The rest of a list that was cancelled while it was read.
    let seen = temporary.queue.newestOutcome
    try temporary.queue.importBatch(
      temporary.batch([ids[1], ids[2]]), into: list.id, of: temporary.source("a"), isLast: true)
    #expect(try Set(temporary.recorded(after: seen)) == [ids[1], ids[2]])
  }

  @Test func theyComeInPagesAndAsTheyAreChosen() throws {
    let temporary = try TemporaryQueue()
    let ids = keys(6)
    try temporary.add(Array(ids[..<4]), as: "a")
    try temporary.add(Array(ids[3...]), as: "b")
    for (number, key) in try temporary.due().enumerated() {
      try temporary.record(key, number % 2 == 0 ? .registered : .failed, status: 404, title: "Not Found")
    }
    let queue = temporary.queue
    let end = queue.newestOutcome
    let (first, next) = try queue.outcomes(recordedAfter: 0, until: end, limit: 4)
    let (rest, none) = try queue.outcomes(recordedAfter: #require(next), until: end, limit: 4)
    #expect((first + rest).map(\.id) == ids && none == nil)
    let b = try #require(try queue.list(named: "b"))
    let ofB = try queue.outcomes(recordedAfter: 0, until: end, list: b, limit: 10).rows
    #expect(ofB.map(\.id) == Array(ids[3...]) && ofB.allSatisfy { $0.list == "b" })
    let failed = try queue.outcomes(recordedAfter: 0, until: end, state: .failed, error: "found", limit: 10).rows
    #expect(failed.map(\.id) == [ids[1], ids[3], ids[5]])
    #expect(try queue.outcomes(recordedAfter: 0, until: end - 2, limit: 10).rows.count == 4)
  }

  /// What is known when somebody begins to follow: the rest comes with numbers after that.
  @Test func thoseUntilANumberAreTheOthersInOrderOfImport() throws {
    let temporary = try TemporaryQueue()
    let ids = keys(4)
    try temporary.add(ids, as: "a")
    let due = try temporary.due()
    for key in [due[2], due[0]] { try temporary.record(key, .registered, status: 201) }
    let seen = temporary.queue.newestOutcome
    try temporary.record(due[1], .registered, status: 201)
    #expect(try temporary.queue.outcomes(until: seen, limit: 10).rows.map(\.id) == [ids[0], ids[2]])
    #expect(try temporary.queue.outcomes(until: 0, limit: 10).rows.isEmpty)
    // From a version that gave no numbers.
    try temporary.queue.pool.write { try $0.execute(sql: "UPDATE key SET recorded = NULL WHERE id = \(due[2].row)") }
    #expect(try temporary.queue.outcomes(until: 0, limit: 10).rows.map(\.id) == [ids[2]])
  }
}

extension TemporaryQueue {
  fileprivate func recorded(after number: Int64) throws -> [AppKeyID] {
    try queue.outcomes(recordedAfter: number, until: queue.newestOutcome, limit: 100).rows.map(\.id)
  }
}
