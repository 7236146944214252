// A quota without headers that refills all the time: requests go at a rate somewhat below the one that passed, which grows
// slowly until a refusal and is then measured again.

struct PacedRate: Sendable {
  private(set) var rate: Double
  private var cutAt: Seconds
  private var refusals = 0
  private var refusedAt: Seconds

  /// The share of the rate that passed up to a refusal which is begun with again.
  private static let share = 0.92

  init(log: SentLog, now: Seconds) {
    cutAt = now
    refusedAt = now
    rate = 1
    measure(log, now)
    // Of what came in a rush and then had to wait, the last seconds alone tell too little.
    if let first = log.first(after: now - 120) {
      rate = max(rate, Double(log.count(after: now - 120)) / max(5, now - first))
    }
  }

  private mutating func measure(_ log: SentLog, _ now: Seconds) {
    let recent = log.count(after: now - 20)
    let span = max(5, min(20, now - (log.first(after: now - 120) ?? now - 20)))
    rate = max(0.1, Self.share * Double(recent) / span)
    cutAt = now
  }

  func turn(_ ask: Ask) -> Turn {
    // Cubic in time, as congestion control grows: slow near the rate that was refused, fast far from it.
    let age = (ask.now - cutAt) / 20
    let grown = rate * (1 + 0.04 * age + (age < 8 ? 0.02 * age * age * age : 12))
    let next = ask.lastSentAt + 1 / grown
    return next > ask.now ? .wait(until: next) : .go
  }

  mutating func succeeded() { refusals = 0 }

  /// - Returns: until when to wait before one asks again, nil for a straggler; and whether this is no refill after all.
  mutating func refuse(wait: Seconds?, _ reply: Reply, jitter: Double) -> (until: Seconds?, isNoRefill: Bool) {
    guard reply.flight.isProbe || reply.flight.sentAt > refusedAt else { return (nil, false) }
    if !reply.flight.isProbe {
      refusedAt = reply.now
      measure(reply.log, reply.now)
      refusals = 0
    }
    refusals += 1
    let pause = min(10, 0.5 * Double(1 << min(refusals, 5))) * (0.8 + 0.4 * jitter)
    return (reply.now + max(pause, wait ?? 0), refusals > 4)
  }
}
