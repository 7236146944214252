import Registration
import Testing

@testable import RegistrationCore

/// What is written next, with time passed in.
@Suite struct UnwrittenResultsTests {
  private static func results(_ count: Int) -> [KeyResult] {
    (1...Int64(count)).map { KeyResult(row: $0, decision: .registered, sentAt: CoreBench.start, at: CoreBench.start) }
  }

  @Test func whoAddsTheFirstBeginsWriting() {
    var unwritten = UnwrittenResults()
    let answers = [unwritten.add([]), unwritten.add(Self.results(1)), unwritten.add(Self.results(2))]
    #expect(answers == [false, true, false])
    #expect(unwritten.next(now: 100) == .write(Self.results(1) + Self.results(2)))
    unwritten.written(3, now: 100)
    #expect(unwritten.next(now: 100) == .rest && unwritten.isEmpty)
    let again = unwritten.add(Self.results(1))
    #expect(again)
  }

  @Test func aGroupIsBoundedAndTheRestFollowsInOrder() {
    var unwritten = UnwrittenResults()
    let all = Self.results(UnwrittenResults.groupSize + 100)
    _ = unwritten.add(all)
    #expect(unwritten.next(now: 100) == .write(Array(all.prefix(UnwrittenResults.groupSize))))
    unwritten.written(UnwrittenResults.groupSize, now: 100)
    #expect(unwritten.next(now: 100) == .write(Array(all.suffix(100))))
  }

  @Test func aFewResultsAfterACommitCollectFirst() {
    var unwritten = UnwrittenResults()
    _ = unwritten.add(Self.results(1))
    unwritten.written(1, now: 100)
    _ = unwritten.add(Self.results(2))
    #expect(unwritten.next(now: 100) == .collect(CommitPace.spacing))
    #expect(unwritten.next(now: 101) == .write(Self.results(2)))
  }

  @Test func aRefusalIsNewsOnceAndLosesNothing() {
    var unwritten = UnwrittenResults()
    _ = unwritten.add(Self.results(2))
    let news = [unwritten.refused(), unwritten.refused()]
    #expect(news == [true, false])
    #expect(unwritten.next(now: 100) == .write(Self.results(2)))
    unwritten.written(2, now: 100)
    _ = unwritten.add(Self.results(1))
    let later = unwritten.refused()
    #expect(later)
  }
}

/// When results are committed.
@Suite struct CommitPaceTests {
  @Test func resultsThatComeOneByOneDoNotWait() {
    var pace = CommitPace()
    #expect(pace.wait(for: 1, now: 100) == 0)
    pace.committed(at: 100)
    #expect(pace.wait(for: 1, now: 100 + CommitPace.spacing) == 0)
  }

  @Test func aStreamOfResultsCollectsUntilItIsALargeGroupOrTheDistanceIsKept() {
    var pace = CommitPace()
    pace.committed(at: 100)
    #expect(abs(pace.wait(for: 1, now: 100.001) - (CommitPace.spacing - 0.001)) < 1e-9)
    #expect(pace.wait(for: CommitPace.largeGroup, now: 100.001) == 0)
  }

  @Test func aClockThatGoesBackDelaysNoCommitForLong() {
    var pace = CommitPace()
    pace.committed(at: 100)
    #expect(pace.wait(for: 1, now: 50) == CommitPace.spacing)
  }
}
