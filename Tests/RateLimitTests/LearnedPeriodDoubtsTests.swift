// A period that no reply named is given up when enough speaks against it.

import Testing

@testable import RateLimit

@Suite struct LearnedPeriodDoubtsTests {
  @Test func twoRefusalsInARowThatTheLogDoesNotExplainShowThatItIsTooShort() {
    var doubts = LearnedPeriodDoubts(period: 10, now: 0)
    let first = doubts.wasRefused(room: 100, of: 100)
    doubts.succeeded()
    let second = doubts.wasRefused(room: 100, of: 100)
    // A few may have been taken by others.
    let full = doubts.wasRefused(room: 5, of: 100)
    let third = doubts.wasRefused(room: 60, of: 100)
    #expect([first, second, full, third] == [false, false, false, true])
  }

  @Test func whatComesBackTooEarlyAgainAndAgainShowsThatItIsTooLong() {
    var doubts = LearnedPeriodDoubts(period: 20, now: 0)
    // A few mean little: the window need not begin with our first request.
    let proofs = [100, 3, 90, 80, 100].enumerated().map { doubts.cameBack($1, at: 5 * Double($0 + 1)) }
    #expect(proofs == [false, false, false, false, true])
  }

  @Test func aTestThatFindsNothingShowsThatItIsNotTooLong() {
    var doubts = LearnedPeriodDoubts(period: 20, now: 0)
    let before = (1...3).map { _ in doubts.cameBack(100, at: 1) }
    doubts.testRefused()
    let after = (1...4).map { _ in doubts.cameBack(100, at: 1) }
    #expect(before + after == [false, false, false, false, false, false, true])
  }

  /// What was sent late in it is back at its end like the rest.
  @Test func aWindowThatIsBackAPeriodAfterTheLastIsNotEarly() {
    var doubts = LearnedPeriodDoubts(period: 20, now: 0)
    let proofs = (1...20).map { doubts.cameBack(60, at: 20 * Double($0)) }
    #expect(!proofs.contains(true))
  }

  /// The test goes 0.7 periods after the last request, which may be long after the return before.
  @Test func whatATestFindsIsEarly() {
    var doubts = LearnedPeriodDoubts(period: 20, now: 0)
    let proofs = (1...4).map { doubts.cameBack(100, at: 19 * Double($0), isTest: true) }
    #expect(proofs == [false, false, false, true])
  }

  /// One that is early now and then is no proof, however long it goes on.
  @Test func aReturnInTimeSpeaksForThePeriod() {
    var doubts = LearnedPeriodDoubts(period: 20, now: 0)
    let proofs = (1...20).map { doubts.cameBack(100, unexplained: $0.isMultiple(of: 2) ? 100 : 0, at: 15 * Double($0)) }
    #expect(!proofs.contains(true))
  }

  @Test func testsBecomeMoreAndMoreSeldom() {
    var doubts = LearnedPeriodDoubts(period: 10, now: 0)
    #expect(!doubts.isDue(lastSentAt: 0, now: 9))
    #expect(!doubts.isDue(lastSentAt: 5, now: 10), "5 s say little")
    #expect(doubts.isDue(lastSentAt: 5, now: 12))
    doubts.tested(at: 12)
    #expect(!doubts.isDue(lastSentAt: 20, now: 31))
    #expect(doubts.isDue(lastSentAt: 20, now: 33))
  }

  @Test func anEarlyReturnIsTestedAgainAtOnce() {
    var doubts = LearnedPeriodDoubts(period: 10, now: 0)
    _ = doubts.cameBack(100, at: 8)
    doubts.tested(at: 12)
    let isProof = doubts.cameBack(100, at: 12)
    #expect(!isProof && doubts.isDue(lastSentAt: 12, now: 19.5))
  }
}

extension LearnedPeriodDoubts {
  /// Of 100 this many came back; the reply came at `now`.
  fileprivate mutating func cameBack(_ count: Int, unexplained: Int? = nil, at now: Seconds, isTest: Bool = false)
    -> Bool
  {
    cameBack(count, unexplained: unexplained ?? count, of: 100, .to(sentAt: now - 0.1, isProbe: isTest))
  }
}
