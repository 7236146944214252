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
    let proofs = [100, 3, 90, 80, 100].map { doubts.cameBack($0, of: 100) }
    #expect(proofs == [false, false, false, false, true])
  }

  @Test func aTestThatFindsNothingShowsThatItIsNotTooLong() {
    var doubts = LearnedPeriodDoubts(period: 20, now: 0)
    let before = (1...3).map { _ in doubts.cameBack(100, of: 100) }
    doubts.testRefused()
    let after = (1...4).map { _ in doubts.cameBack(100, of: 100) }
    #expect(before + after == [false, false, false, false, false, false, true])
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
    doubts.tested(at: 12)
    let isProof = doubts.cameBack(100, of: 100)
    #expect(!isProof && doubts.isDue(lastSentAt: 12, now: 19.5))
  }
}
