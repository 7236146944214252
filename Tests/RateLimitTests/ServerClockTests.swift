import Testing

@testable import RateLimit

struct ServerClockTests {
  /// A server whose clock is `ahead` of ours, asked at `sentAt`; its Date has whole seconds.
  private func observe(_ clock: inout ServerClock, ahead: Seconds, sentAt: Seconds, trip: Seconds = 0.1) {
    let date = (sentAt + trip / 2 + ahead).rounded(.down)
    clock.observe(date: date, sentAt: sentAt, receivedAt: sentAt + trip)
  }

  @Test func nothingIsKnownBeforeTheFirstReply() {
    #expect(ServerClock().instant(ofEpoch: 1) == nil && ServerClock().epoch(at: 1) == nil)
  }

  @Test func manyRepliesTogetherAreMoreExactThanTheSecondsOfEach() throws {
    var clock = ServerClock()
    observe(&clock, ahead: 1_000.37, sentAt: 5)
    #expect(try #require(clock.offset).width > 1)
    for step in 0..<200 { observe(&clock, ahead: 1_000.37, sentAt: 6 + Double(step) * 0.0973) }
    let offset = try #require(clock.offset)
    #expect(offset.width < 0.15 && abs(offset.middle - 1_000.37) < 0.08)
    let instant = try #require(clock.instant(ofEpoch: 1_020.37))
    #expect(instant.low <= 20 && 20 <= instant.high)
    #expect(abs(try #require(clock.epoch(at: 20)) - 1_020.37) < 0.08)
  }

  @Test func aClockThatWasSetIsFollowedFromItsFirstContradiction() throws {
    var clock = ServerClock()
    for step in 0..<50 { observe(&clock, ahead: 1_000, sentAt: Double(step) * 0.0973) }
    observe(&clock, ahead: 4_600, sentAt: 10)
    let offset = try #require(clock.offset)
    #expect(offset.low <= 4_600 && 4_600 <= offset.high)
  }
}
