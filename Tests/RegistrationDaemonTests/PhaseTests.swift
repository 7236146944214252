import RateLimit
import Registration
import RegistrationCore
import Testing

@testable import RegistrationDaemon

/// The phases of the pool, one standstill at a time.
@Suite struct PhaseTests {
  private func phase(
    _ standstill: Standstill?, isBusy: Bool = false, inHand: Int = 0, open: Int = 3, after old: Phase = .working
  ) -> Phase {
    Phase(standstill, isBusy: isBusy, inHand: inHand, open: open, after: old, now: 100)
  }

  @Test func whoStopsWorkHasAPhaseOfItsOwn() {
    #expect(phase(.stopping) == .stopping)
    #expect(phase(.paused(Pause(reason: nil, since: Timestamp(milliseconds: 0)))) == .paused)
    #expect(phase(.disk(DiskFault(.results, "full"))) == .holding)
  }

  @Test func onlyALongWaitForTheLimitIsWaiting() {
    #expect(phase(.limit(until: 100.5)) == .working)
    #expect(phase(.limit(until: 101)) == .waiting)
    // In its last second it is still the same wait.
    #expect(phase(.limit(until: 100.5), after: .waiting) == .waiting)
    #expect(phase(.limit(until: 160), isBusy: true) == .working)
  }

  @Test func withoutADueKeyItDependsOnWhatIsLeft() {
    #expect(phase(.nothingDue(next: nil), open: 0) == .idle)
    #expect(phase(.nothingDue(next: 900)) == .waiting)
    #expect(phase(.nothingDue(next: nil)) == .working)
    // Answered, but not written yet.
    #expect(phase(.nothingDue(next: 900), inHand: 2) == .working)
    #expect(phase(.nothingDue(next: nil), inHand: 2, open: 0) == .working)
  }
}

/// Since when a state lasts, from what the pool knows and from looks.
@Suite struct StateClockTests {
  private func at(_ seconds: Double) -> Timestamp { Timestamp(milliseconds: 0).adding(seconds: seconds) }

  @Test func theBeginningCountsAndNotTheLook() {
    let clock = StateClock()
    #expect(clock.since(.idle, began: at(1), now: at(2)) == at(1))
    #expect(clock.since(.working, began: at(7), now: at(9)) == at(7))
    #expect(clock.since(.working, began: at(7), now: at(11)) == at(7))
  }

  @Test func aStateThatEndedAndBeganAgainBetweenTwoLooksIsNew() {
    let clock = StateClock()
    #expect(clock.since(.idle, began: at(0), now: at(10)) == at(0))
    #expect(clock.since(.idle, began: at(10.4), now: at(12)) == at(10.4))
  }

  @Test func withoutABeginningALookHasToDo() {
    let clock = StateClock()
    #expect(clock.since(.idle, began: at(0), now: at(10)) == at(0))
    #expect(clock.since(.working, began: nil, now: at(12)) == at(12))
    #expect(clock.since(.working, began: nil, now: at(14)) == at(12))
    // The pool was idle all the time, but a look saw something else.
    #expect(clock.since(.idle, began: at(0), now: at(16)) == at(14))
  }

  @Test func nothingBeginsInTheFuture() {
    let clock = StateClock()
    #expect(clock.since(.idle, began: at(0), now: at(1_000)) == at(0))
    #expect(clock.since(.working, began: at(50), now: at(60)) == at(60))
  }
}
