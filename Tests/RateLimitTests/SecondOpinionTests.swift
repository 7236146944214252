// What is believed of a reply that contradicts those before it.

import Testing

@testable import RateLimit

@Suite struct SecondOpinionTests {
  private var opinion = SecondOpinion(remembered: [])
  private var sequence: UInt64 = 0

  /// What is believed of a reply a twentieth of a second after the last one.
  private mutating func of(_ reading: RateLimitReading, isRefused: Bool = false, wait: Seconds? = 10)
    -> RateLimitReading?
  {
    sequence += 1
    return opinion.of(
      reading, .to(sequence, sentAt: Double(sequence) / 20, kind: isRefused ? .throttled : .answered), wait: wait,
      period: 10)
  }

  private func told(_ left: Int?, of limit: Int? = 100, in period: Seconds? = 10, name: String? = nil)
    -> RateLimitReading
  {
    .told(left, of: limit, in: period, reset: 7, date: 9, name: name)
  }

  private let nothing = RateLimitReading(date: 9)

  private static let odd: [RateLimitReading] = [
    .told(0, of: 100, in: 3_600, reset: 3_599, date: 9), .told(98, of: 1_000, in: 10, reset: 7, date: 9),
    .told(98, of: 100, in: 10, reset: 7, date: 9, name: "other"), .told(1_000, of: 100, in: 10, reset: 7, date: 9),
    .told(0, of: 100, in: 10, reset: 7, date: 9),
  ]

  @Test(arguments: odd) mutating func oneOddReplyIsNotBelieved(odd: RateLimitReading) {
    #expect(of(told(99)) == told(99))
    #expect(of(odd) == nothing)
    #expect(opinion.isAwaited)
    #expect(of(told(97)) == told(97))
    #expect(!opinion.isAwaited)
  }

  @Test(arguments: odd) mutating func aSecondOneIs(odd: RateLimitReading) {
    _ = (of(told(99)), of(odd))
    #expect(of(odd) == odd)
    #expect(of(odd) == odd)
  }

  @Test mutating func ofTwoOddOnesInARowTheSecondIsBelieved() {
    _ = (of(told(99)), of(told(98, of: 50)))
    #expect(of(told(97, of: 51)) == told(97, of: 51))
  }

  @Test mutating func whatReturnsMuchLaterIsOddAgain() {
    _ = (of(told(99)), of(told(0, in: 3_600)))
    for left in 70...97 { _ = of(told(left)) }
    #expect(of(told(0, in: 3_600)) == nothing)
  }

  /// A reply may leave something out.
  @Test mutating func lessThanIsKnownIsNoContradiction() {
    _ = of(told(99, name: "org"))
    #expect(of(told(98, of: nil, in: nil)) == told(98, of: nil, in: nil))
    #expect(of(nothing) == nothing)
  }

  @Test mutating func whereRepliesTellNothingARefusalThatDoesIsBelieved() {
    _ = (of(nothing), of(nothing))
    #expect(of(told(0), isRefused: true) == told(0))
  }

  @Test mutating func whatAnEarlierRunKnewIsContradictedToo() {
    opinion = SecondOpinion(remembered: [.init(name: nil, allowance: Allowance(count: 100, period: 10))])
    #expect(of(told(0, in: 3_600)) == nothing)
    #expect(of(told(99)) == told(99))
  }

  /// Others may have taken it.
  @Test mutating func aCountThatFallsWithinALongTimeIsBelieved() {
    _ = of(told(99))
    sequence += 40
    #expect(of(told(0)) == told(0))
  }

  // MARK: Waits

  private func refusal(_ wait: Seconds) -> RateLimitReading { RateLimitReading(retryAfter: wait, date: 9) }

  @Test mutating func aWaitThatIsFarTooLongMustBeRepeated() {
    _ = of(told(99))
    #expect(of(refusal(3_000), isRefused: true) == nothing)
    #expect(of(refusal(2_999), isRefused: true) == refusal(2_999))
    _ = of(told(98))
    // The server has meant it.
    #expect(of(refusal(3_000), isRefused: true) == refusal(3_000))
  }

  @Test mutating func aRequestThatPassesDisprovesIt() {
    _ = (of(told(99)), of(refusal(3_000), isRefused: true), of(told(98)))
    #expect(of(refusal(3_000), isRefused: true) == nothing)
  }

  @Test mutating func aLikelyWaitIsObeyedAtOnceAndSoIsAnyWhereNoLimitIsKnown() {
    #expect(of(refusal(12), isRefused: true) == refusal(12))
    #expect(of(refusal(3_600), isRefused: true, wait: nil) == refusal(3_600))
  }
}
