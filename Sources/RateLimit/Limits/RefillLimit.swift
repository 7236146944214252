// A bucket that refills all the time, told by headers: Reset is the time until it is full. What is left now is what was
// left, plus the refill since.

struct RefillLimit: Sendable {
  private(set) var allowance: Allowance
  private var level: Double
  private var readAt: Seconds
  private var readBy: UInt64
  private var refusals = 0
  private var withheld: Int

  init(_ reading: RateLimitReading, allowance: Allowance, by flight: Flight, withheld: Int, now: Seconds) {
    self.withheld = withheld
    self.allowance = allowance
    level = 0
    readAt = now
    readBy = flight.sequence
    level = Self.level(reading, allowance)
  }

  /// The count is rounded down to whole tokens. Where a token takes many seconds, Reset tells how far the next one is.
  private static func level(_ reading: RateLimitReading, _ allowance: Allowance) -> Double {
    let whole = Double(reading.remaining ?? 0)
    guard let reset = reading.reset else { return whole }
    // Reset may have been rounded down: a second more is assumed.
    let exact = allowance.tokens - (reset + 1) * allowance.rate
    return min(max(whole, exact), whole + 0.999)
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

  mutating func observe(_ reading: RateLimitReading, _ reply: ReceivedReply) {
    guard reading.remaining != nil else { return }
    if let limit = reading.limit { allowance.count = limit }
    if let period = reading.period { allowance.period = period }
    let read = Self.level(reading, allowance)
    // Requests overtake each other. Of those that were under way together the lowest count was taken last.
    level = reply.flight.sentAt >= readAt ? read : min(available(at: reply.now), read)
    readAt = reply.now
    readBy = max(readBy, reply.flight.sequence)
  }

  mutating func observeSilence(_ reply: ReceivedReply) {
    if reply.flight.sequence > readBy { level -= 1 }
  }

  mutating func succeeded() { refusals = 0 }

  /// - Returns: until when to wait: for the token that was missing, longer when it was not there either.
  mutating func refuse(_ reading: RateLimitReading?, wait: Seconds?, _ reply: ReceivedReply) -> Seconds {
    refusals += 1
    level = min(0.999, reading.map { Self.level($0, allowance) } ?? 0)
    readAt = reply.now
    let missing = max(0.05, (1 - level) / allowance.rate) * Double(1 << min(refusals - 1, 6))
    return reply.now + max(min(missing, allowance.period), wait ?? 0)
  }

  /// The operator changed what is left to others.
  mutating func withhold(_ count: Int) { withheld = count }
}
