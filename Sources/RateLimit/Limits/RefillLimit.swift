// A bucket that refills all the time, described by headers: Reset is the time until it is full. What is left now is
// what was left, plus the refill since.

struct RefillLimit: LimitModel {
  private(set) var allowance: Allowance
  private var level: Double
  private var readAt: Seconds
  private var readBy: UInt64
  private var refusals = 0
  /// Refusals of the period that began at `since`.
  private var recent = (refusals: 0, since: Seconds(0))
  /// The part of a token by which a request alone finds less than the refill explains; smoothed.
  private var lost = 0.0
  /// No reply named the period.
  private let isLearned: Bool
  private var reserve: PacerSettings.Reserve

  var granted: Allowance? { allowance }
  var source: LimitStanding.Source { .headers }
  private var withheld: Int { reserve.withheld(of: allowance.count) }

  /// A bucket with a known refill refuses almost nothing: one that refuses this often in a period is not a bucket.
  private static let disproof = 5
  /// How often the pause after a refusal doubles at most.
  private static let doublings = 6
  /// The factor by which one reply shortens a period that was learned at most.
  private static let shortest = 0.5
  /// Seconds by which Reset may have been rounded down.
  private static let rounding: Seconds = 1
  /// The largest fraction of a token.
  private static let almostOne = 0.999
  /// Tokens kept in hand while more keys wait than there are tokens: the next look then costs no refusal.
  private static let inHand = 2.0
  /// Limits smaller than this cannot spare one.
  private static let smallest = 4
  /// A bucket that loses parts of tokens with each request loses at least this part. Its requests go together, …
  private static let loses = 0.3
  /// … as many as come back in this many round trips, but at most this share of the limit.
  private static let roundTripsTogether = 8.0
  private static let togetherAtMost = 0.25
  /// How much one reply changes what is lost.
  private static let weight = 0.1
  /// This many returned tokens show how long a learned period is at most; the error of their count; and the factor by
  /// which a refusal multiplies the period.
  private static let telling = 3.0
  private static let rounded = 0.5
  private static let slower = 1.1
  /// Shortest waits, in seconds, for a token and after a refusal.
  private static let shortestWait: Seconds = 0.005
  private static let shortestPause: Seconds = 0.05

  init(
    _ reading: RateLimitReading, allowance: Allowance, isLearned: Bool = false, reserve: PacerSettings.Reserve,
    _ reply: ReceivedReply
  ) {
    self.isLearned = isLearned
    self.reserve = reserve
    self.allowance = allowance
    level = Self.level(reading, allowance)
    readAt = reply.now
    readBy = reply.flight.sequence
  }

  /// The count is rounded down to whole tokens. Where a token takes many seconds, Reset shows how far the next one is.
  private static func level(_ reading: RateLimitReading, _ allowance: Allowance) -> Double {
    let whole = Double(reading.remaining ?? 0)
    guard let reset = reading.reset else { return whole }
    let exact = allowance.tokens - (reset + Self.rounding) * allowance.rate
    return min(max(whole, exact), whole + Self.almostOne)
  }

  /// Tokens, including those that requests in flight will take.
  private func stock(at now: Seconds) -> Double { min(allowance.tokens, level + allowance.rate * (now - readAt)) }

  func turn(_ ask: Ask) -> Turn {
    let free = stock(at: ask.now) - Double(ask.inFlight)
    // The last keys need no further look.
    let inHand = allowance.count >= Self.smallest && Double(ask.backlog) > free ? Self.inHand : 1
    let kept = max(inHand, Double(withheld) + 1) + together(ask)
    return free >= kept
      ? .go : .wait(until: ask.now + min(max(Self.shortestWait, (kept - free) / allowance.rate), allowance.period))
  }

  /// Tokens to wait for before the first of several requests that go together.
  private func together(_ ask: Ask) -> Double {
    guard lost > Self.loses, ask.now - ask.lastSentAt > ask.roundTrip / Self.roundTripsTogether else { return 0 }
    let together = (Self.roundTripsTogether * ask.roundTrip * allowance.rate).rounded(.down)
    return max(0, min(together, (Self.togetherAtMost * allowance.tokens).rounded(.down)) - 1)
  }

  func available(_ ask: Ask) -> Int { max(0, Int(clamping: stock(at: ask.now)) - ask.inFlight) }

  func reserved(_ ask: Ask) -> Int { min(available(ask), withheld) }

  func resetsIn(_ ask: Ask) -> Seconds { max(0, allowance.tokens - stock(at: ask.now)) / allowance.rate }

  func supply(_ ask: Ask) -> Supply? {
    Supply(
      now: Double(available(ask) - reserved(ask)), wait: resetsIn(ask), tokens: allowance.tokens,
      period: allowance.period, isContinuous: true)
  }

  mutating func observe(_ reading: RateLimitReading, _ reply: ReceivedReply) -> Successor? {
    guard reading.remaining != nil else { return nil }
    if let limit = reading.limit { allowance.count = limit }
    if let period = reading.period { allowance.period = period }
    let read = Self.level(reading, allowance)
    if reply.flight.sentAt >= readAt, reply.others.isEmpty, !reply.isThrottled {
      let missing = stock(at: reply.now) - 1 - read
      lost += Self.weight * (min(1, max(-1, missing)) - lost)
      let returned = read + 1 - level
      if isLearned && returned >= Self.telling {
        let period = UsualPeriod.roughly(allowance.tokens * (reply.now - readAt) / (returned - Self.rounded))
        let shorter = max(Self.shortest * allowance.period, min(allowance.period, period))
        allowance = Allowance(count: allowance.count, period: shorter)
      }
    }
    // Requests overtake each other. Of those that were in flight together, the lowest count is the latest.
    level = reply.flight.sentAt >= readAt ? read : min(stock(at: reply.now), read)
    readAt = reply.now
    readBy = max(readBy, reply.flight.sequence)
    return nil
  }

  /// It may have taken a token, unless it was refused. No bucket holds less than nothing.
  mutating func observeSilence(_ reply: ReceivedReply) {
    guard reply.kind != .throttled, reply.kind != .refused, reply.flight.sequence > readBy else { return }
    level = max(level - 1, -allowance.rate * max(0, reply.now - readAt))
  }

  mutating func succeeded(_ reply: ReceivedReply) -> Successor? {
    refusals = 0
    return nil
  }

  /// All wait for the missing token, and longer if it was not there either.
  mutating func refuse(_ reading: RateLimitReading?, wait: Seconds?, _ reply: ReceivedReply) -> Refusal {
    refusals += 1
    if isLearned { allowance = Allowance(count: allowance.count, period: Self.slower * allowance.period) }
    level = min(Self.almostOne, reading.map { Self.level($0, allowance) } ?? 0)
    readAt = reply.now
    let missing = max(Self.shortestPause, (1 - level) / allowance.rate) * Double(1 << min(refusals - 1, Self.doublings))
    let until = reply.now + max(min(missing, allowance.period), wait ?? 0)
    if reply.now - recent.since > allowance.period { recent = (0, reply.now) }
    recent.refusals += 1
    return .closed(until: until, recent.refusals >= Self.disproof ? .sliding(remaining: 0) : nil)
  }

  mutating func apply(_ reserve: PacerSettings.Reserve) { self.reserve = reserve }
}
