// How much of a window is left, from counts that arrive out of order and replicas that lag behind.

import Testing

@testable import RateLimit

@Suite struct WindowBudgetTests {
  private func flight(_ sequence: UInt64, sentAt: Seconds, isProbe: Bool = false) -> Flight {
    Flight(sequence: sequence, sentAt: sentAt, isProbe: isProbe)
  }

  /// 100 in a window that began at 0; 60 are left, of which we took 10.
  private func budget() -> WindowBudget {
    WindowBudget(limit: 100, remaining: 60, own: 10, by: flight(1, sentAt: 9.9), at: 10)
  }

  private func read(
    _ count: Int, into budget: inout WindowBudget, sentAt: Seconds, isProbe: Bool = false, throttled: Bool = false
  ) {
    budget.read(
      count, flight: flight(UInt64(sentAt * 10), sentAt: sentAt, isProbe: isProbe), inFlight: 0, throttled: throttled,
      startedAt: 0, end: 60, now: sentAt + 0.1)
  }

  @Test func whatIsUnderWayIsNotCountedYet() {
    #expect(budget().available(inFlight: 7) == 53)
    #expect(budget().takenByOthers == 30)
    #expect(budget().mostForOthers == 90)
  }

  @Test func ourOwnUseAloneNeverExceedsTheLimit() {
    var budget = budget()
    for _ in 0..<80 { budget.sent() }
    #expect(budget.available(inFlight: 0) == 10)
    budget.giveBack()
    #expect(budget.available(inFlight: 0) == 11)
  }

  @Test func theLowestCountHoldsUntilEightInARowSayMore() {
    var budget = budget()
    read(55, into: &budget, sentAt: 11)
    #expect(budget.remaining == 55)
    for second in 12..<19 { read(70 + second % 2, into: &budget, sentAt: Double(second)) }
    #expect(budget.remaining == 55)
    read(71, into: &budget, sentAt: 19)
    #expect(budget.remaining == 70)
  }

  @Test func aHigherCountOfAnEarlierRequestSaysNothing() {
    var budget = budget()
    for _ in 0..<20 { read(90, into: &budget, sentAt: 9) }
    #expect(budget.remaining == 60)
  }

  @Test func aProbeIsBelievedAtOnce() {
    var budget = budget()
    read(90, into: &budget, sentAt: 12, isProbe: true)
    #expect(budget.remaining == 90)
  }

  @Test func answersWithoutACountMayHaveCostOne() {
    var budget = budget()
    budget.countUnread(flight(1, sentAt: 9.9))
    #expect(budget.remaining == 60)
    budget.countUnread(flight(2, sentAt: 10.5))
    #expect(budget.remaining == 59)
  }

  @Test func aRaisedLimitIsUsableAtOnceAndOfACutOneOnlyWhatIsLeft() {
    var budget = budget()
    budget.change(limit: 150, remaining: 109, by: flight(2, sentAt: 11))
    #expect(budget.remaining == 110)
    budget.change(limit: 80, remaining: 5, by: flight(3, sentAt: 12))
    #expect(budget.remaining == 5)
    #expect(budget.limit == 80)
    // A count from a request that was sent before the latest one is out of date.
    read(4, into: &budget, sentAt: 12)
    budget.change(limit: 150, remaining: 109, by: flight(2, sentAt: 11))
    #expect(budget.limit == 80)
  }

  @Test func aRefusalEmptiesItUntilTheNextWindow() {
    var budget = budget()
    budget.close()
    #expect(budget.available(inFlight: 0) == 0)
    #expect(budget.isConfirmedEmpty)
    budget.renew(remaining: 99, own: 1, usualForOthers: 0, by: flight(2, sentAt: 61), at: 61)
    #expect(budget.available(inFlight: 0) == 99)
    #expect(!budget.isConfirmedEmpty)
  }

  @Test func replicasThatAreBehindAreNotBelievedEarlyInAWindow() {
    var budget = budget()
    #expect(!budget.isLagging)
    read(90, into: &budget, sentAt: 12, isProbe: true)
    #expect(budget.isLagging)
    budget.renew(remaining: 0, own: 1, usualForOthers: 20, by: flight(200, sentAt: 60), at: 60)
    #expect(budget.remaining == 79)
    budget.read(
      0, flight: flight(201, sentAt: 61), inFlight: 0, throttled: false, startedAt: 60, end: 120, now: 61.1)
    #expect(budget.remaining == 79)
    budget.read(
      0, flight: flight(202, sentAt: 63), inFlight: 0, throttled: false, startedAt: 60, end: 120, now: 63.1)
    #expect(budget.remaining == 0)
  }
}
