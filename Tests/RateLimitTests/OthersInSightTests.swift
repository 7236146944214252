// Whether others use a limit whose replies show what is left and nothing else.

import Testing

@testable import RateLimit

@Suite struct OthersInSightTests {
  /// The counts of replies that come each second, each to one request of ours; the period is 10 s.
  private func isNobody(
    _ counts: [Int], missing: Int = 0, others: Int = 0
  ) -> Bool {
    var sight = OthersInSight(left: 100, now: 0)
    var log: [Seconds] = []
    for (index, left) in counts.enumerated() {
      let at = Double(index + 1)
      log.append(at)
      sight.see(
        left: left, missing: missing, period: 10,
        .to(UInt64(index), sentAt: at - 0.1, others: others, log: log))
    }
    return sight.isNobody
  }

  @Test func nobodyIsExpectedAfterTwoPeriodsInWhichOnlyOursIsMissing() {
    #expect(!isNobody((1...19).map { 100 - $0 }))
    #expect(isNobody((1...21).map { 100 - $0 }))
  }

  @Test func theyAreSeenWhenTheCountFallsByMoreThanOurs() {
    let counts = (1...32).map { 100 - $0 - ($0 > 10 ? 1 : 0) }
    #expect(!isNobody(Array(counts.prefix(21))))
    // Two periods later they are forgotten.
    #expect(!isNobody(Array(counts.prefix(30))))
    #expect(isNobody(counts))
  }

  /// A window that begins hides what was taken just before.
  @Test func aReturnTellsNothing() {
    #expect(isNobody((1...21).map { $0 < 10 ? 100 - $0 : 109 - $0 }))
  }

  @Test func requestsOfOursThatOverlapMayHaveBeenCounted() {
    #expect(isNobody((1...21).map { 97 - $0 }, others: 3))
  }

  /// A log gives back at the same time what we used a period ago.
  @Test func theyAreSeenWhenMoreIsMissingThanOurs() {
    #expect(isNobody(Array(repeating: 80, count: 21), missing: 2))
    #expect(!isNobody(Array(repeating: 77, count: 21), missing: 3))
  }
}
