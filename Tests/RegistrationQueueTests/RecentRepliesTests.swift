import Registration
import Testing

@testable import RegistrationQueue

/// What a restart knows of the requests before it.
@Suite struct RecentRepliesTests {
  @Test func theyAreTheOutcomesThatCostQuotaAndFirstAttempts() throws {
    let temporary = try TemporaryQueue()
    try temporary.add(keys(7), as: "a")
    let due = try temporary.due()
    try temporary.record(due[0], .registered, status: 201)
    temporary.clock.advance(seconds: 100)
    try temporary.record(due[1], .registered, status: 201)
    // Needed a second attempt.
    try temporary.record(due[2], .retry(due: temporary.clock.wall), status: 503)
    try temporary.record(due[2], .charge)
    temporary.clock.advance(seconds: 10)
    try temporary.record(due[2], .failed, status: 409)
    // Turned away, never answered, cancelled.
    try temporary.record(due[3], .failed, status: 403)
    try temporary.record(due[4], .failed)
    _ = try temporary.queue.cancel(#require(try temporary.queue.list(named: "a")).id, at: temporary.clock.wall)
    temporary.clock.advance(seconds: 5)
    try temporary.reopen()
    #expect(try temporary.queue.recentReplies(within: 60) == [15, 15, 5])
    #expect(try temporary.queue.recentReplies(within: 1_000) == [115, 15, 15, 5])
    // Whatever happens to the wall clock.
    temporary.clock.set(by: 3_600)
    #expect(try temporary.queue.recentReplies(within: 60) == [15, 15, 5])
  }
}
