// A bucket that refills all the time, told by headers: Reset is the time until it is full. What is left now is what was
// left, plus the refill since.

struct TokenRefill: Sendable {
  private(set) var allowance: Allowance
  private var level: Double
  private var readAt: Seconds
  private var readBy: UInt64
  private var withheld: Int

  init(allowance: Allowance, remaining: Int, by flight: Flight, withheld: Int, now: Seconds) {
    self.withheld = withheld
    self.allowance = allowance
    level = Double(remaining)
    readAt = now
    readBy = flight.sequence
  }

  func available(at now: Seconds) -> Double {
    min(allowance.tokens, level + allowance.rate * (now - readAt))
  }

  func turn(_ ask: Ask) -> Turn {
    let free = available(at: ask.now) - Double(ask.inFlight)
    // One token stays in hand, so that the next look costs no refusal; the last keys need no next look.
    let inHand = allowance.count >= 4 && Double(ask.backlog) > free ? 2.0 : 1
    let kept = max(inHand, Double(withheld) + 1)
    return free >= kept
      ? .go : .wait(until: ask.now + min(max(0.005, (kept - free) / allowance.rate), allowance.period))
  }

  mutating func observe(_ reading: RateLimitReading, _ reply: Reply) {
    guard let remaining = reading.remaining, reply.flight.sequence >= readBy else { return }
    if let limit = reading.limit { allowance.count = limit }
    if let period = reading.period { allowance.period = period }
    level = Double(remaining)
    readAt = reply.now
    readBy = reply.flight.sequence
  }

  mutating func observeSilence(_ reply: Reply) {
    if reply.flight.sequence > readBy { level -= 1 }
  }

  mutating func refuse(wait: Seconds?, _ reply: Reply) -> Seconds {
    level = 0
    readAt = reply.now
    return reply.now + max(min(1, 3 / allowance.rate), wait ?? 0)
  }

  /// The operator changed what is left to others.
  mutating func withhold(_ count: Int) { withheld = count }
}
