import RegistrationCore
import Testing

@Suite struct CancelTurnsTests {
  @Test func nothingIsCancelledUnlessThereIsSomething() {
    var turns = CancelTurns()
    #expect(turns.next(hasStopped: false, hasReturned: false) == nil)
    #expect(!turns.isUnderWay)
  }

  @Test func oneCancelFollowsAnother() {
    var turns = CancelTurns()
    #expect(turns.next(hasStopped: false, hasReturned: true) == .returned)
    #expect(turns.next(hasStopped: false, hasReturned: true) == nil)
    turns.ended()
    #expect(turns.next(hasStopped: false, hasReturned: true) == .returned)
  }

  @Test func aListThatIsStoppedMeanwhileIsNotForgotten() {
    var turns = CancelTurns()
    #expect(turns.next(hasStopped: false, hasReturned: true) == .returned)
    #expect(turns.next(hasStopped: true, hasReturned: false) == nil)
    turns.ended()
    #expect(turns.next(hasStopped: false, hasReturned: true) == .stopped)
    turns.ended()
    #expect(turns.next(hasStopped: false, hasReturned: false) == nil)
  }
}
