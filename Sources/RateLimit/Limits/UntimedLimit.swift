// A limit whose replies show what is left, but neither when more comes nor how long its period is: they have no Reset
// and no Period. What is shown is spent, apart from a few requests that are kept for looks: each goes alone, and its
// reply shows what has come back since the last one. ReturnSearch.swift decides when to look and what was found; then
// a model that needs the period takes over.

struct UntimedLimit: LimitModel {
  private var count: Int
  /// The lowest trusted count, including what requests in flight will take.
  private var remaining: Int
  private var readBy: UInt64
  private var readAt: Seconds
  /// When the request was sent that showed that something had come back. Replies to earlier ones are out of date.
  private var stockFrom: Seconds
  private var search: ReturnSearch
  /// Whether the last request passed though nothing should have been left, and its reply had no count: the next one asks
  /// at once.
  private var isRoomShown = false
  private var clock: ServerClock
  private var reserve: PacerSettings.Reserve

  var source: LimitStanding.Source { .headers }
  var isNearlyEmpty: Bool { isNearlyUsed(remaining, of: count) }
  private var withheld: Int { reserve.withheld(of: count) }

  /// The share of a limit kept for looks, and its maximum in requests.
  private static let keptShare = 0.2
  private static let keptAtMost = 40

  /// - Parameters:
  ///   - from: When the first request of the present stock was sent, or the last one that counted.
  ///   - isFirst: Whether nothing has been learned before and found wrong.
  init(
    count: Int, remaining: Int, from: Seconds, isFirst: Bool = true, reserve: PacerSettings.Reserve,
    _ reply: ReceivedReply
  ) {
    self.count = count
    self.reserve = reserve
    self.remaining = remaining
    readBy = reply.flight.sequence
    readAt = reply.now
    stockFrom = reply.flight.sentAt
    search = ReturnSearch(from: from, isFirst: isFirst)
    clock = reply.clock
    if reply.isThrottled { search.nothing(at: reply.flight.sentAt) }
  }

  /// Requests kept for looks.
  private var kept: Int { min(Self.keptAtMost, Int(clamping: Self.keptShare * Double(count))) }

  func turn(_ ask: Ask) -> Turn {
    let free = remaining - ask.inFlight - withheld
    if free > kept || free >= ask.backlog { return .go }
    if ask.inFlight > 0 { return .reply }
    if isRoomShown { return .go }
    let next = search.nextLook(after: ask.lastSentAt, isFree: free >= 1, clock: clock)
    return next > ask.now ? .wait(until: next) : free >= 1 ? .go : .probe
  }

  func available(_ ask: Ask) -> Int { max(0, remaining - ask.inFlight) }

  func reserved(_ ask: Ask) -> Int { min(available(ask), withheld) }

  func latest(_ ask: Ask) -> Seconds? { isNearlyEmpty ? nil : 0 }

  mutating func observe(_ reading: RateLimitReading, _ reply: ReceivedReply) -> Successor? {
    guard let said = reading.remaining else { return nil }
    let flight = reply.flight
    clock = reply.clock
    isRoomShown = false
    count = reading.limit ?? max(count, said)
    guard flight.sentAt >= stockFrom else {
      if !reply.isThrottled { remaining = max(0, remaining - 1) }
      return nil
    }
    let before = remaining
    readBy = max(readBy, flight.sequence)
    // Sent after the last count was known, so whatever exceeds it has come back since.
    let isLook = flight.sentAt >= readAt
    let returned = said + (reply.isThrottled ? 0 : 1) - before
    defer { readAt = reply.now }
    guard isLook && (returned > 1 || returned == 1 && reply.others.isEmpty) else {
      remaining = min(remaining, said)
      if isLook { search.nothing(at: flight.sentAt) }
      return nil
    }
    (remaining, stockFrom) = (said, flight.sentAt)
    guard
      let found = search.found(returned, of: count - before, limit: count, sentAt: flight.sentAt, now: reply.now)
    else { return nil }
    switch found {
    case .windows(let period): return .shown(Allowance(count: count, period: period), remaining: said)
    case .refill(let rate):
      return .refilling(Allowance(count: count, period: UsualPeriod.roughly(Double(count) / rate)))
    }
  }

  mutating func observeSilence(_ reply: ReceivedReply) {
    guard reply.kind != .refused, reply.flight.sequence > readBy else { return }
    isRoomShown = reply.kind == .answered && remaining < 1 && reply.flight.sentAt >= readAt
    guard !reply.isThrottled else { return }
    remaining = max(0, remaining - 1)
  }

  mutating func refuse(_ reading: RateLimitReading?, wait: Seconds?, _ reply: ReceivedReply) -> Refusal {
    guard reply.flight.sentAt >= stockFrom else { return .ignored }
    if let left = reading?.remaining, left > 0, wait == nil { return .elsewhere }
    // Much was left just now: it is another limit's, and says nothing of this one.
    if let wait, reading?.remaining == nil, !isNearlyEmpty { return .closed(until: reply.now + wait) }
    remaining = 0
    let next = search.nextLook(after: reply.flight.sentAt, isFree: false, clock: reply.clock)
    return .closed(until: wait.map { reply.now + $0 } ?? max(reply.now, next))
  }

  mutating func apply(_ reserve: PacerSettings.Reserve) { self.reserve = reserve }
}
