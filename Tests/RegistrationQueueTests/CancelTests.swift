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

  @Test func aKeyInFlightIsCancelledOnlyOnceItIsBackWithoutAnOutcome() throws {
    let temporary = try TemporaryQueue()
    let queue = temporary.queue
    let list = try temporary.add(keys(6), as: "a")
    let due = try temporary.due()
    let inFlight = Set(due.prefix(4).map(\.row))
    #expect(try queue.cancel(list.id, at: .now(), inFlight: { inFlight }) == 2)
    #expect(queue.keysAwaited(of: list.id) == inFlight.count && queue.keysAwaited(of: list.id + 1) == 0)
    #expect(queue.tally[.cancelled] == 2 && queue.tally[.pending] == 4)
    #expect(try queue.list(named: "a")?.finishedAt == nil)
    // They are not handed out again.
    #expect(try temporary.due().isEmpty && queue.sampleKeys(limit: 9, except: []).isEmpty)
    #expect(!queue.hasReturned(isInFlight: inFlight.contains))
    try temporary.record(due[0], .registered, status: 201)
    try temporary.record(due[1], .failed, status: 404, title: "Not Found")
    try temporary.record(due[2], .retry(due: .now()), status: 500, title: "Internal Server Error")
    try temporary.record(due[2], .charge)
    // The last one was refused by a limit, which is no result.
    #expect(queue.hasReturned { _ in false })
    try queue.cancelReturned(at: .now()) { _ in false }
    #expect(!queue.hasReturned { _ in false })
    #expect(queue.tally[.registered] == 1 && queue.tally[.failed] == 1 && queue.tally[.cancelled] == 4)
    let outcomes = try queue.outcomes(list: nil, state: .cancelled, after: 0, limit: 10).rows
    #expect(outcomes.map(\.errorTitle) == ["Internal Server Error", nil, nil, nil])
    #expect(outcomes.map(\.attempts) == [1, 0, 0, 0])
    #expect(try queue.list(named: "a")?.finishedAt != nil)
  }

  @Test func aKeyInFlightThatIsWantedAgainStaysOpen() throws {
    let temporary = try TemporaryQueue()
    let list = try temporary.add(keys(2), as: "a")
    let inFlight = Set(try temporary.due().map(\.row))
    #expect(try temporary.queue.cancel(list.id, at: .now(), inFlight: { inFlight }) == 0)
    try temporary.add(keys(1), as: "b")
    try temporary.queue.cancelReturned(at: .now()) { _ in false }
    #expect(temporary.queue.tally[.cancelled] == 1)
    #expect(try temporary.due().map(\.id) == keys(1))
  }

  @Test func afterAKillAKeyThatWasInFlightSaysSo() throws {
    let temporary = try TemporaryQueue()
    let list = try temporary.add(keys(1), as: "a")
    let inFlight = Set(try temporary.due().map(\.row))
    _ = try temporary.queue.cancel(list.id, at: .now(), inFlight: { inFlight })
    try temporary.reopen()
    try temporary.queue.finishCancels(at: .now())
    let outcome = try #require(try temporary.queue.outcomes(list: nil, after: 0, limit: 10).rows.first)
    #expect(outcome.state == .cancelled && outcome.errorTitle == "Cancelled in flight")
  }

  @Test func noKeyOfACancelledListIsHandedOutWhileItIsBeingCancelled() throws {
    let temporary = try TemporaryQueue()
    let lists = [try temporary.add(keys(2), as: "a"), try temporary.add(keys(2), as: "b")]
    try temporary.add(keys(1, from: 9), as: "c")
    _ = try temporary.queue.cancel(lists[0].id, at: .now())
    var due: [AppKeyID] = []
    let noteDue = {
      due = (try? temporary.due().map(\.id)) ?? []
      return Set<Int64>()
    }
    _ = try temporary.queue.cancel(lists[1].id, at: .now(), inFlight: noteDue)
    #expect(due == keys(1, from: 9))
  }
}
