// What speaks against a period that no reply named. It is too short when requests are refused although nothing of ours
// stands in it any more, and too long when much comes back before it is over. Either may happen once for another reason:
// others may use the limit too, and a window need not begin with our first request. Now and then, more and more seldom,
// one request asks before the period is over; otherwise nobody would see that it is too long.

struct LearnedPeriodDoubts: Sendable {
  private let period: Seconds
  private var refused = 0
  private var early = 0
  /// When much last came back.
  private var returnedAt: Seconds
  private var testAt: Seconds
  /// Periods until the next test.
  private var patience = Self.firstPatience

  /// This many refusals in a row are proof, …
  private static let refusals = 2
  /// … and this many early returns without a test between them that found nothing. The edges of windows of just this
  /// period may explain three: the tests are 0.7 to 0.8 periods apart.
  private static let returns = 4
  /// The share of the limit that must have come back early, or have been free when a request was refused.
  private static let much = 0.4
  /// The share of a period after which a return is not early.
  static let due = 0.8
  private static let firstPatience = 1.0
  private static let longestPatience = 64.0
  /// The share of the period after which a test asks.
  private static let testAfter = 0.7

  init(period: Seconds, now: Seconds) {
    self.period = period
    testAt = now + Self.firstPatience * period
    returnedAt = now
  }

  /// Whether a request should go to ask for an early return.
  func isDue(lastSentAt: Seconds, now: Seconds) -> Bool { now >= max(testAt, lastSentAt + Self.testAfter * period) }

  mutating func tested(at now: Seconds) {
    guard now >= testAt else { return }
    patience = min(Self.longestPatience, 2 * patience)
    testAt = now + patience * period
  }

  /// A test found nothing: the period is not too long.
  mutating func testRefused() { early = 0 }

  mutating func succeeded() { refused = 0 }

  /// A request was refused although this much should have been left.
  ///
  /// - Returns: Whether the period is too short.
  mutating func wasRefused(room: Double, of count: Int) -> Bool {
    guard room >= max(1, Self.much * Double(count)) else { return false }
    refused += 1
    return refused >= Self.refusals
  }

  /// This much came back, and this much of it is not explained by our log over the period. A window gives back all that was
  /// used in it, late requests too: unless a test found it, that is early only within a period of the return before.
  ///
  /// - Returns: Whether the period is too long.
  mutating func cameBack(_ returned: Int, unexplained: Int, of count: Int, _ reply: ReceivedReply) -> Bool {
    guard isMuch(returned, of: count) else { return false }
    defer { returnedAt = reply.now }
    guard isMuch(unexplained, of: count), reply.flight.isProbe || reply.now - returnedAt < Self.due * period else {
      early = max(0, early - 1)
      return false
    }
    early += 1
    testAt = -.infinity
    return early >= Self.returns
  }

  private func isMuch(_ requests: Int, of count: Int) -> Bool {
    requests >= 2 && Double(requests) >= Self.much * Double(count)
  }
}
