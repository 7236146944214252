import RateLimit
import Registration
import RegistrationAPI
import Testing

@testable import RegistrationDaemon

/// The grounds for what is believed of a limit.
@Suite struct LimitEvidenceTests {
  private static let start = Timestamp(milliseconds: 1_795_693_460_000)

  private static func reply(_ status: Int, _ reading: RateLimitReading?) -> Exchange {
    let isRefusal = status == 429
    return Exchange(
      verdict: isRefusal ? .throttled : .registered(status: status),
      paced: PacedReply(kind: isRefusal ? .throttled : .answered, reading: reading), status: status, duration: 0.1)
  }

  private static func known(_ count: Int, _ name: String? = nil) -> KnownLimit {
    KnownLimit(name: name, allowance: Allowance(count: count, period: 10), source: .learned)
  }

  @Test func repliesThatSayNothingOfALimitDoNotCount() {
    var evidence = LimitEvidence(endpoint: "https://a")
    evidence.received(Self.reply(201, nil), at: Self.start)
    evidence.received(Self.reply(201, RateLimitReading(date: 1_795_693_460)), at: Self.start)
    #expect(evidence == LimitEvidence(endpoint: "https://a"))
    evidence.received(Self.reply(201, RateLimitReading(remaining: 3)), at: Self.start)
    evidence.received(Self.reply(429, nil), at: Self.start.adding(seconds: 1))
    #expect(evidence.replies == 2 && evidence.refusals == 1)
    #expect(evidence.since == Self.start)
    #expect(evidence.lastRefusal?.at == Self.start.adding(seconds: 1))
  }

  @Test func aChangeKeepsTheReplyThatMadeIt() {
    var evidence = LimitEvidence(endpoint: "https://a")
    let refusal = Self.reply(429, RateLimitReading(retryAfter: 5))
    evidence.changed([Self.known(100), Self.known(7, "burst")], by: refusal, at: Self.start)
    let later = Self.start.adding(seconds: 60)
    // The same again is no change, for each name by itself.
    evidence.changed([Self.known(100), Self.known(8, "burst")], by: Self.reply(429, nil), at: later)
    #expect(evidence.changes.map(\.allowance.count) == [100, 7, 8])
    #expect(evidence.belief(in: nil)?.at == Self.start)
    #expect(evidence.belief(in: nil)?.said.retryAfter == 5)
    #expect(evidence.belief(in: "burst")?.at == later)
    #expect(evidence.belief(in: "other") == nil)
  }

  @Test func onlyTheLastChangesAreKept() {
    var evidence = LimitEvidence(endpoint: "https://a")
    for count in 1...200 { evidence.changed([Self.known(count)], by: Self.reply(429, nil), at: Self.start) }
    #expect(evidence.changes.map(\.allowance.count) == Array(151...200))
  }
}
