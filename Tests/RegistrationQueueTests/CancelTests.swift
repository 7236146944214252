import Registration
import Testing

@testable import RegistrationQueue

@Suite struct CancelTests {
  @Test func cancellingSparesKeysThatAnotherListWants() throws {
    let temporary = try TemporaryQueue()
    let a = try temporary.add(keys(4), as: "a")
    try temporary.add(keys(2), as: "b")
    #expect(try temporary.queue.cancel(a.id, at: .now()) == 2)
    #expect(temporary.queue.tally[.cancelled] == 2)
    #expect(try temporary.due().map(\.id) == keys(2))
    let record = try #require(try temporary.queue.list(named: "a"))
    #expect(record.cancelledAt != nil && record.keys[.cancelled] == 2 && record.keys[.pending] == 2)
  }

  @Test func aResultThatArrivesAfterTheCancellationIsKept() throws {
    let temporary = try TemporaryQueue()
    let list = try temporary.add(keys(3), as: "a")
    let due = try temporary.due()
    _ = try temporary.queue.cancel(list.id, at: .now())
    try temporary.record(due[0], .registered, status: 201)
    let before = try temporary.queue.outcomes(list: nil, state: .cancelled, after: 0, limit: 10).rows
    try temporary.record(due[1], .retry(due: .now()), status: 500)
    try temporary.record(due[2], .failed, status: 404, title: "Not Found")
    #expect(temporary.queue.tally[.registered] == 1)
    #expect(temporary.queue.tally[.cancelled] == 2)
    #expect(try temporary.due().isEmpty)
    // The results of the list may be written: what they say about a cancelled key stays true.
    let after = try temporary.queue.outcomes(list: nil, state: .cancelled, after: 0, limit: 10).rows
    #expect(before == after && after.count == 2)
  }

  @Test func anOutcomeStaysThoughEveryListOfItsKeyIsCancelled() throws {
    let temporary = try TemporaryQueue()
    let lists = [try temporary.add(keys(2), as: "a"), try temporary.add(keys(1) + keys(1, from: 9), as: "b")]
    try temporary.record(temporary.due()[0], .registered, status: 201)
    for list in lists { #expect(try temporary.queue.cancel(list.id, at: .now()) == 1) }
    #expect(temporary.queue.tally[.registered] == 1 && temporary.queue.tally[.cancelled] == 2)
    #expect(try temporary.queue.list(named: "b")?.keys[.registered] == 1)
  }
}
