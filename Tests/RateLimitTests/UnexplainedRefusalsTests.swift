import Testing

@testable import RateLimit

struct UnexplainedRefusalsTests {
  @Test func eachPauseIsTwiceTheLastUpToHalfAMinute() {
    var refusals = UnexplainedRefusals()
    var pauses: [Seconds] = []
    for second in 0..<9 {
      refusals.note(at: Double(second))
      pauses.append(refusals.pause)
    }
    #expect(pauses == [0.5, 1, 2, 4, 8, 16, 30, 30, 30])
  }

  @Test func aSuccessBeginsAnew() {
    var refusals = UnexplainedRefusals()
    for second in 0..<5 { refusals.note(at: Double(second)) }
    refusals.succeeded()
    #expect(refusals.count == 0)
    refusals.note(at: 9)
    #expect(refusals.pause == UnexplainedRefusals.first)
  }

  @Test func refusalsThatWereInFlightTogetherCountAsOne() {
    var refusals = UnexplainedRefusals()
    func flight(sentAt: Seconds) -> Flight { Flight(sequence: 1, sentAt: sentAt, isProbe: false) }
    #expect(!refusals.covers(flight(sentAt: 1)))
    refusals.note(at: 5)
    #expect(refusals.covers(flight(sentAt: 4.9)) && !refusals.covers(flight(sentAt: 5.1)))
  }
}
