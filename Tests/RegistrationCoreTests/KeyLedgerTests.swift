import Registration
import Testing

@testable import RegistrationCore

/// One place a key, whatever happens to it.
@Suite struct KeyLedgerTests {
  private func ledger(_ rows: Int64...) -> KeyLedger {
    var ledger = KeyLedger()
    ledger.supply(rows.map { CoreBench.key($0) }, isAll: true, nextDue: nil, generation: 0)
    return ledger
  }

  @Test func keysAreTakenInTheirOrderAndWhatCameBackFirst() throws {
    var ledger = ledger(1, 2, 3)
    let taken = ledger.take()
    let first = try #require(taken)
    #expect(first.row == 1 && ledger.place(of: 1) == .inFlight && ledger.place(of: 2) == .ready)
    ledger.giveBack(first, readIn: ledger.reading, isLast: false)
    #expect(ledger.take()?.row == 1)
    ledger.giveBack(first, readIn: ledger.reading, isLast: true)
    #expect([ledger.take()?.row, ledger.take()?.row, ledger.take()?.row, ledger.take()?.row] == [2, 3, 1, nil])
  }

  @Test func aKeyGoesFromPlaceToPlaceUntilItsResultIsOnDisk() throws {
    var ledger = ledger(1)
    _ = ledger.take()
    ledger.keep(1)
    #expect(ledger.place(of: 1) == .awaitingWitness && ledger.inHand == 1 && ledger.isRecorded)
    ledger.settle(1)
    #expect(ledger.place(of: 1) == .awaitingCommit && ledger.inHand == 1 && !ledger.isRecorded)
    ledger.committed([KeyResult(row: 1, decision: .registered, sentAt: CoreBench.start, at: CoreBench.start)])
    #expect(ledger.place(of: 1) == nil && ledger.inHand == 0 && ledger.taken.isEmpty)
  }

  @Test func aKeyIsNotReadTwice() {
    var ledger = ledger(1, 2)
    _ = ledger.take()
    #expect(ledger.taken == [1, 2])
    ledger.supply([CoreBench.key(1), CoreBench.key(2), CoreBench.key(3)], isAll: true, nextDue: nil, generation: 0)
    #expect([ledger.take()?.row, ledger.take()?.row, ledger.take()?.row] == [2, 3, nil])
  }

  @Test func aPageOfAnOlderGenerationIsNotTaken() {
    var ledger = ledger(1)
    ledger.keysChanged()
    ledger.supply([CoreBench.key(1)], isAll: true, nextDue: 5, generation: 0)
    #expect(!ledger.hasKey && !ledger.isDrained && ledger.nextDue == nil && ledger.wantsKeys)
  }

  @Test func turnsGoOnWhenKeysAreReadAnew() throws {
    var ledger = ledger(1, 2, 3)
    #expect(ledger.nextTurn == 3)
    let taken = ledger.take()
    #expect(ledger.nextTurn == 3)
    // A key that is sent again at once takes no second turn.
    ledger.giveBack(try #require(taken), readIn: ledger.reading, isLast: false)
    _ = ledger.take()
    ledger.keysChanged()
    #expect(ledger.nextTurn == 1)
  }

  @Test func whatIsUnderWayStaysSoWhenKeysChange() throws {
    var ledger = ledger(1, 2)
    let taken = ledger.take()
    let key = try #require(taken)
    let reading = ledger.reading
    ledger.keysChanged()
    #expect(ledger.place(of: 1) == .inFlight && ledger.place(of: 2) == nil && ledger.taken == [1])
    // It may have been cancelled: the queue is asked.
    ledger.giveBack(key, readIn: reading, isLast: false)
    #expect(ledger.taken.isEmpty && ledger.take() == nil)
  }

  private static let charge = KeyResult(row: 1, decision: .charge, sentAt: CoreBench.start, at: CoreBench.start)

  @Test func aKeyThatWaitsIsReadOnceTheQueueHasAllOfItsAttempts() throws {
    var ledger = KeyLedger()
    ledger.charge(1)
    ledger.charge(1)
    #expect(ledger.taken == [1])
    // It was read before.
    ledger.supply([CoreBench.key(1), CoreBench.key(2)], isAll: true, nextDue: nil, generation: 0)
    #expect(!ledger.hasKey && ledger.wantsKeys)
    ledger.supply([CoreBench.key(2)], isAll: true, nextDue: nil, generation: 0)
    #expect(ledger.take()?.row == 2 && ledger.isDrained)
    ledger.committed([Self.charge])
    #expect(ledger.taken == [1, 2])
    ledger.readBegins()
    ledger.committed([Self.charge])
    #expect(ledger.taken == [2] && ledger.wantsKeys)
    // This page, too, may have been read before, or leaves the key out.
    ledger.supply([CoreBench.key(1)], isAll: true, nextDue: nil, generation: 0)
    #expect(!ledger.hasKey && ledger.wantsKeys)
    ledger.supply([], isAll: true, nextDue: nil, generation: 0)
    #expect(ledger.wantsKeys)
    ledger.readBegins()
    ledger.supply([CoreBench.key(1, attempts: 2)], isAll: true, nextDue: nil, generation: 0)
    #expect(ledger.take()?.attempts == 2 && ledger.isDrained)
  }

  @Test func aKeyThatIsAheadHasAllOfItsAttempts() throws {
    var ledger = ledger(1, 2)
    ledger.charge(1)
    #expect(ledger.take()?.attempts == 1)
    // In hand, others have copies of it.
    ledger.charge(1)
    ledger.keep(1)
    ledger.committed([Self.charge, Self.charge])
    ledger.giveBack(CoreBench.key(1, attempts: 1), readIn: ledger.reading, isLast: false)
    #expect(ledger.place(of: 1) == nil && ledger.take()?.row == 2 && ledger.take() == nil && ledger.wantsKeys)
  }

  @Test func timeThatPassesMakesKeysDue() {
    var ledger = KeyLedger()
    ledger.supply([], isAll: true, nextDue: 7, generation: 0)
    #expect(ledger.isDrained && !ledger.wantsKeys)
    ledger.passTime(to: 6.9)
    #expect(ledger.isDrained && ledger.nextDue == 7)
    ledger.passTime(to: 7)
    #expect(ledger.wantsKeys && ledger.nextDue == nil)
    ledger.wait(until: 9)
    ledger.wait(until: 12)
    #expect(ledger.nextDue == 9)
  }
}
