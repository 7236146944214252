// A limit whose replies show what is left and nothing about when more comes.

import PacingSimulation
import Testing

@testable import RateLimit

@Suite struct UntimedLimitTests {
  private func limit(_ remaining: Int = 99, reserve: PacerSettings.Reserve = .automatic) -> UntimedLimit {
    UntimedLimit(count: 100, remaining: remaining, from: 0, reserve: reserve, .to(sentAt: 0))
  }

  @Test func whatIsShownIsSpentApartFromTheLooks() {
    #expect(limit(99).turn(.at(1, inFlight: 16)) == .go)
    #expect(limit(36).turn(.at(1, inFlight: 16)) == .reply, "the looks go alone")
    // A window of a second would be over.
    #expect(limit(20).turn(.at(1, lastSentAt: 0.8)) == .wait(until: 1.05))
    #expect(limit(20).turn(.at(1.3, lastSentAt: 0.8)) == .go)
    // The last keys are no looks.
    #expect(limit(20).turn(.at(1, backlog: 20, lastSentAt: 0.8)) == .go)
  }

  @Test func anEmptyLimitIsProbed() {
    #expect(limit(0).turn(.at(1.3, lastSentAt: 0.8)) == .probe)
    #expect(limit(40, reserve: .share(0.5)).turn(.at(1.3, lastSentAt: 0.8)) == .probe)
  }

  @Test func aCountThatArrivesLateIsNotBelieved() {
    var limit = limit(50)
    let overtaken = limit.observe(.told(60, of: 100, in: nil), .to(2, sentAt: 0.05))
    #expect(overtaken == nil && limit.available(.at(1)) == 50)
    let later = limit.observe(.told(99, of: 100, in: nil), .to(3, sentAt: 8))
    #expect(later == nil && limit.available(.at(9)) == 99)
    let old = limit.observe(.told(48, of: 100, in: nil), .to(4, sentAt: 7.9))
    #expect(old == nil && limit.available(.at(9)) == 98)
  }

  @Test func aRefusalClosesTheGateUntilTheNextLook() throws {
    var limit = limit(0)
    let refusal = limit.refuse(.told(0, of: 100, in: nil), wait: nil, .refusal(2, sentAt: 10, isProbe: true))
    #expect(refusal.instant == 15.05, "a window of 15 s that began with the first request would be over")
    let asked = limit.refuse(.told(0, of: 100, in: nil), wait: 30, .refusal(3, sentAt: 10, isProbe: true))
    #expect(asked.instant == 40.1, "Retry-After counts for more")
  }

  @Test func aRequestThatPassesWithNothingLeftIsFollowedByAnother() {
    var limit = limit(0)
    limit.observeSilence(.to(2, sentAt: 4))
    #expect(limit.turn(.at(4.1, lastSentAt: 4)) == .go)
    #expect(limit.turn(.at(4.1, inFlight: 1, lastSentAt: 4)) == .reply, "one by one")
    limit.observeSilence(.refusal(3, sentAt: 4.1))
    #expect(limit.turn(.at(4.2, lastSentAt: 4.1)) == .wait(until: 5.05))
  }

  @Test func whatWasSentBeforeTheCountWasKnownShowsNothing() {
    var limit = limit(0)
    limit.observeSilence(.to(2, sentAt: 0.05))
    #expect(limit.turn(.at(0.2, lastSentAt: 0.05)) == .wait(until: 0.55))
  }

  @Test func twoReturnsHandOverToAModelThatKnowsThePeriod() {
    var limit = limit(0)
    let replies = [(8.0, 0), (9, 99), (11, 0), (18, 0), (19.15, 99)]
    let successors = replies.enumerated().map { index, reply in
      limit.observe(
        .told(reply.1, of: 100, in: nil),
        .to(UInt64(index + 2), sentAt: reply.0, kind: reply.1 == 0 ? .throttled : .answered, isProbe: true))
    }
    #expect(successors.dropLast().allSatisfy { $0 == nil })
    #expect(successors.last == .shown(Allowance(count: 100, period: 10), remaining: 99))
  }
}
