// When a window ends, as each reply narrows it.

import Testing

@testable import RateLimit

@Suite struct WindowEdgeTests {
  private func edge(_ low: Seconds = 39, _ high: Seconds = 41, aligned: Bool? = nil) -> WindowEdge {
    WindowEdge(end: Interval(low: low, high: high), aligned: aligned)
  }

  private func claim(reset: Seconds, date: Seconds?, aligned: Bool) -> Interval {
    WindowEdge.claim(
      reset: reset, date: date, period: 60, sentAt: 90, receivedAt: 90.2, clock: .ours, aligned: aligned)
  }

  /// Places a claim against an edge, of a request that was sent before its end.
  private func place(
    _ low: Seconds, _ high: Seconds, in edge: inout WindowEdge, sentAt: Seconds = 20, isLate: Bool = true
  ) -> WindowEdge.Placement {
    let claim = Interval(low: low, high: high)
    return edge.place(claim, raw: claim, period: 60, sentAt: sentAt, now: sentAt + 0.1, isLate: isLate)
  }

  @Test func aResetAloneTellsTheEndToTwoSecondsAndTheRoundTrip() {
    #expect(claim(reset: 30, date: 90, aligned: false) == Interval(low: 119, high: 121.2))
  }

  @Test(arguments: [(90.0, 30.0), (91.0, 30.0), (90.0, 31.0), (90.0, 29.0)])
  func aDateTellsTheEndOfAnAlignedWindowToAMillisecond(date: Seconds, reset: Seconds) {
    let claim = claim(reset: reset, date: date, aligned: true)
    #expect(abs(claim.middle - 120) < 0.002)
    #expect(claim.width < 0.002)
  }

  @Test func aResetFarFromTheCalendarIsTakenAsItIs() {
    #expect(claim(reset: 20, date: 90, aligned: true) == Interval(low: 109, high: 111.2))
    #expect(claim(reset: 30, date: nil, aligned: true) == Interval(low: 119, high: 121.2))
  }

  @Test func alignmentIsBelievedAfterThreeRepliesAndDroppedByOne() {
    var edge = edge()
    for _ in 0..<2 { edge.noteAlignment(reset: 30, date: 90, period: 60) }
    #expect(edge.isAligned == nil)
    edge.noteAlignment(reset: 31, date: 90, period: 60)
    #expect(edge.isAligned == true)
    edge.noteAlignment(reset: 20, date: 90, period: 60)
    #expect(edge.isAligned == false)
    // One in ten may be a fluke.
    for _ in 0..<7 { edge.noteAlignment(reset: 30, date: 90, period: 60) }
    #expect(edge.isAligned == true)
  }

  @Test func everyResetAgreesWithTheMultiplesOfAVeryShortPeriod() {
    var edge = edge()
    for _ in 0..<5 { edge.noteAlignment(reset: 1, date: 90, period: 3) }
    #expect(edge.isAligned == nil)
  }

  @Test func aReplyOfTheSameWindowNarrowsItsEnd() {
    var edge = edge()
    #expect(place(40, 42, in: &edge) == .current)
    #expect(edge.end == Interval(low: 40, high: 41))
  }

  @Test func aReplyOfALaterWindowMovesItOn() {
    var edge = edge()
    #expect(place(100, 102, in: &edge, sentAt: 42) == .later(1))
    #expect(edge.end == Interval(low: 100, high: 101))
    #expect(place(220, 221, in: &edge, sentAt: 170) == .later(2))
    #expect(edge.end == Interval(low: 220, high: 221))
  }

  @Test func aLateReplyOfAPastWindowChangesNothing() {
    var edge = edge()
    #expect(place(-21, -19, in: &edge) == .past)
    #expect(edge.end == Interval(low: 39, high: 41))
  }

  @Test func anEndThatKeepsMovingMeansThatThereAreNoWindows() {
    var edge = edge()
    #expect(place(59, 61, in: &edge) == .ignored)
    #expect(place(60, 62, in: &edge) == .ignored)
    #expect(edge.end == Interval(low: 39, high: 41))
    #expect(place(61, 63, in: &edge) == .moving)
  }

  @Test func aReplyThatFitsTakesAContradictionBack() {
    var edge = edge()
    for _ in 0..<4 {
      #expect(place(59, 61, in: &edge) == .ignored)
      #expect(place(39, 41, in: &edge) == .current)
    }
  }

  @Test func theSameWindowAfterItsEndIsAContradiction() {
    var edge = edge()
    #expect(place(40, 42, in: &edge, sentAt: 44, isLate: true) == .current)
    #expect(place(40, 42, in: &edge, sentAt: 44, isLate: true) == .current)
    #expect(place(40, 42, in: &edge, sentAt: 44, isLate: true) == .moving)
    // A window that ends this very second says nothing.
    var other = self.edge()
    for _ in 0..<5 { #expect(place(40, 42, in: &other, sentAt: 44, isLate: false) == .current) }
  }

  @Test func anAlignedEdgeThatIsContradictedIsReplacedAndNoLongerTakenForAligned() {
    var edge = edge(39.999, 40, aligned: true)
    #expect(place(59, 61, in: &edge) == .replaced)
    #expect(edge.end == Interval(low: 59, high: 61))
    #expect(edge.isAligned == false)
  }

  @Test func noWindowEndsLaterThanAPeriodFromNow() {
    var edge = edge(99, 101)
    #expect(edge.isAbsurd(at: 20, period: 60))
    #expect(!edge.isAbsurd(at: 40, period: 60))
    #expect(place(39, 41, in: &edge) == .replaced)
    #expect(edge.end == Interval(low: 39, high: 41))
  }

  @Test func aWindowThatHasBegunEndsAPeriodLaterAtMost() {
    var edge = edge(39, 45)
    edge.begun(by: -18, period: 60)
    #expect(edge.end == Interval(low: 39, high: 42))
    edge.begun(by: -30, period: 60)
    #expect(edge.end == Interval(low: 39, high: 42))
    edge.advance(windows: 2, period: 60)
    #expect(edge.end == Interval(low: 159, high: 162))
  }
}
