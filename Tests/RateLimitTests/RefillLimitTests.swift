// A bucket that refills all the time, and how it is told from a window.

import Testing

@testable import RateLimit

@Suite struct RefillLimitTests {
  /// 100 that come back at ten a second, read at 0.1 s.
  private func bucket(
    _ remaining: Int, reset: Seconds? = nil, reserve: PacerSettings.Reserve = .automatic
  ) -> RefillLimit {
    RefillLimit(
      .told(remaining, of: 100, in: 10, reset: reset), allowance: Allowance(count: 100, period: 10), reserve: reserve,
      .to(sentAt: 0))
  }

  @Test func refillsAtItsRateUpToItsSize() {
    #expect(bucket(20).available(.at(1.1)) == 30)
    #expect(bucket(20).available(.at(1.1, inFlight: 4)) == 26)
    #expect(bucket(20).available(.at(100)) == 100)
    #expect(abs(bucket(20).resetsIn(.at(0.1)) - 8) < 0.001)
  }

  @Test func keepsOneTokenInHandExceptForTheLastKeys() throws {
    #expect(bucket(2).turn(.at(0.1)) == .go)
    let next = try #require(bucket(1).turn(.at(0.1)).instant)
    #expect(abs(next - 0.2) < 0.001)
    #expect(bucket(1).turn(.at(0.1, backlog: 1)) == .go)
  }

  @Test func resetTellsHowFarTheNextTokenIs() {
    // One token a minute: of 4 that are missing, 3.5 come in 210 s.
    let slow = RefillLimit(
      .told(6, of: 10, in: 600, reset: 209), allowance: Allowance(count: 10, period: 600), reserve: .automatic,
      .to(sentAt: 0))
    #expect(slow.available(.at(29)) == 6)
    #expect(slow.available(.at(31)) == 7)
  }

  @Test func theLowestCountOfRequestsThatWereUnderWayTogetherHolds() {
    var bucket = bucket(50)
    _ = bucket.observe(.told(40, of: 100, in: 10), .to(2, sentAt: 0.05))
    _ = bucket.observe(.told(45, of: 100, in: 10), .to(3, sentAt: 0.06))
    #expect(bucket.available(.at(0.16)) == 40)
    _ = bucket.observe(.told(70, of: 100, in: 10), .to(4, sentAt: 3))
    #expect(bucket.available(.at(3.1)) == 70)
  }

  @Test func silentRepliesMayHaveCostOne() {
    var bucket = bucket(50)
    bucket.observeSilence(.to(2, sentAt: 0))
    #expect(bucket.available(.at(0.1)) == 49)
    bucket.observeSilence(.to(1, sentAt: 0))
    #expect(bucket.available(.at(0.1)) == 49)
  }

  /// Refusals that do not say whose they are may go on for hours.
  @Test(arguments: [PacedReply.Kind.throttled, .refused, .serverError])
  func aThousandSilentRepliesAreNoDebt(kind: PacedReply.Kind) {
    var bucket = bucket(50)
    for number in 2...1_000 { bucket.observeSilence(.to(UInt64(number), sentAt: 0.01, kind: kind)) }
    #expect(bucket.available(.at(0.11)) == (kind == .serverError ? 0 : 50))
    #expect(bucket.available(.at(1.2)) >= 10)
  }

  @Test func theOperatorsShareStaysInIt() {
    let bucket = bucket(50, reserve: .share(0.5))
    #expect(bucket.turn(.at(0.1)) != .go)
    #expect(bucket.reserved(.at(0.1)) == 50)
    #expect(bucket.turn(.at(0.3)) == .go)
  }

  @Test func aRefusalWaitsForTheTokenAndTheNextForMore() throws {
    var bucket = bucket(1)
    let first = try bucket.refuse(nil, wait: nil, .refusal(sentAt: 1)).until()
    #expect(abs(first - 1.2) < 0.001)
    let second = try bucket.refuse(nil, wait: nil, .refusal(sentAt: 1.2)).until()
    #expect(abs(second - 1.5) < 0.001)
    let told = try bucket.refuse(nil, wait: 4, .refusal(sentAt: 2)).until()
    #expect(abs(told - 6.1) < 0.001)
  }

  @Test func fiveRefusalsInAPeriodShowThatItIsNone() {
    var bucket = bucket(1)
    for round in 0..<4 {
      guard case .closed(_, nil) = bucket.refuse(nil, wait: nil, .refusal(sentAt: 20 + Double(round))) else {
        Issue.record("given up after \(round + 1)")
        return
      }
    }
    guard case .closed(_, .sliding(remaining: 0)) = bucket.refuse(nil, wait: nil, .refusal(sentAt: 24)) else {
      Issue.record("five refusals are none")
      return
    }
  }

  // MARK: What shows it

  /// Whether a server of 100 in 10 s is seen to be a bucket, from its count and Reset each half second.
  private func isSeen(reset: (Int, Int) -> Seconds) -> Bool {
    var evidence = RefillEvidence()
    for step in 0..<16 {
      let remaining = 90 - 5 * step
      evidence.note(
        .told(remaining, of: 100, in: 10, reset: reset(step, remaining)), Allowance(count: 100, period: 10))
    }
    return evidence.isConclusive
  }

  @Test func aResetThatRisesAsTheCountFallsShowsABucket() {
    #expect(isSeen { _, remaining in (Double(100 - remaining) / 10).rounded(.up) })
    // A window that is about to end, and one whose Reset has nothing to do with the count.
    #expect(!isSeen { step, _ in 10 - Double(step) / 2 })
    #expect(!isSeen { step, _ in Double(step * 7 % 10) })
  }

  @Test func whatWasRuledOutIsNotSeenAgain() {
    var evidence = RefillEvidence()
    evidence.ruleOut()
    for remaining in stride(from: 90, to: 10, by: -5) {
      evidence.note(
        .told(remaining, of: 100, in: 10, reset: Double(100 - remaining) / 10), Allowance(count: 100, period: 10))
    }
    #expect(!evidence.isConclusive)
  }
}
