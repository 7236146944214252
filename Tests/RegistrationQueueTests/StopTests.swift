import GRDB
import Registration
import Testing

@testable import RegistrationQueue

/// Lists that are stopped once too many of their keys have failed.
@Suite struct StopTests {
  private let temporary: TemporaryQueue

  init() throws {
    temporary = try TemporaryQueue()
    try temporary.add(keys(200), as: "a")
  }

  private var list: ListRecord { get throws { try #require(try temporary.queue.list(named: "a")) } }

  private func finish(_ count: Int, failing: Int) throws {
    for (number, key) in try temporary.due(count).enumerated() {
      try temporary.record(key, number < failing ? .failed : .registered, status: number < failing ? 400 : 201)
    }
  }

  @Test func theRestIsCancelledOnceMoreThanTheShareHasFailed() throws {
    _ = try temporary.queue.setTerms(of: "a", ListTermsChange(stop: .after(0.1)))
    try finish(49, failing: 49)
    #expect(try !temporary.queue.takeStops() && list.stoppedAt == nil)
    try finish(1, failing: 0)
    #expect(temporary.queue.takeStops() && !temporary.queue.takeStops())
    try temporary.queue.finishCancels(at: temporary.clock.wall)
    let stopped = try list
    #expect(stopped.stoppedAt != nil && stopped.keys[.cancelled] == 150 && stopped.keys.open == 0)
    let outcomes = try temporary.queue.outcomes(list: stopped, after: 0, limit: 1_000).rows
    let reason = "more than 10 % of the list's finished keys had failed"
    #expect(outcomes.count { $0.errorTitle == "List stopped" && $0.errorDetail == reason } == 150)
    let counted = try temporary.recount()
    #expect(counted.tally == [2: 1, 3: 49, 4: 150])
  }

  @Test func whatTheDiskRefusedToCancelIsCancelledLater() throws {
    _ = try temporary.queue.setTerms(of: "a", ListTermsChange(stop: .after(0.1)))
    try finish(50, failing: 50)
    #expect(temporary.queue.takeStops())
    func setReadOnly(_ isReadOnly: Bool) throws {
      try temporary.queue.pool.writeWithoutTransaction { database in
        try database.execute(sql: "PRAGMA query_only = \(isReadOnly)")
      }
    }
    try setReadOnly(true)
    #expect(throws: QueueError.self) { try temporary.queue.finishCancels(at: temporary.clock.wall) }
    try setReadOnly(false)
    #expect(try temporary.queue.takeStops() && list.keys.open == 150)
    try temporary.queue.finishCancels(at: temporary.clock.wall)
    #expect(try !temporary.queue.takeStops() && list.keys[.cancelled] == 150)
  }

  @Test func exactlyTheShareIsNotMore() throws {
    _ = try temporary.queue.setTerms(of: "a", ListTermsChange(stop: .after(0.5)))
    for (number, key) in try temporary.due(100).enumerated() {
      try temporary.record(key, number % 2 == 1 ? .failed : .registered, status: number % 2 == 1 ? 400 : 201)
    }
    #expect(try !temporary.queue.takeStops() && list.stoppedAt == nil)
    try finish(1, failing: 1)
    #expect(try temporary.queue.takeStops() && list.stoppedAt != nil)
  }

  @Test func aShareThatIsSetLaterCountsWhatHasFailedBefore() throws {
    try finish(60, failing: 60)
    #expect(!temporary.queue.takeStops())
    _ = try temporary.queue.setTerms(of: "a", ListTermsChange(stop: .never))
    #expect(!temporary.queue.takeStops())
    _ = try temporary.queue.setTerms(of: "a", ListTermsChange(stop: .after(0)))
    #expect(temporary.queue.takeStops())
    // A kill here: the next start finishes it.
    try temporary.reopen()
    try temporary.queue.finishCancels(at: temporary.clock.wall)
    #expect(try list.keys[.cancelled] == 140)
    // Submitted again, the keys that were cancelled are tried again, and so are the failed ones.
    try temporary.add(keys(200), as: "b")
    #expect(try temporary.due().count == 200)
  }
}
