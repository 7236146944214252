// The limit of a service that sends no rate-limit headers: searched for, then counted by ourselves, or paced at a rate where
// it refills all the time. Replaced by a bucket as soon as one reply carries a count.

struct Unmetered: Sendable {
  private enum Phase: Sendable {
    case searching(SearchedLimit)
    case counting(CountedLimit)
    case pacing(PacedLimit)
  }

  private var phase: Phase
  private var settings: PacerSettings

  /// - Parameter known: a limit to begin with, and where it is known from.
  init(known: (allowance: Allowance, source: Standing.Source)?, settings: PacerSettings, now: Seconds) {
    self.settings = settings
    phase = .searching(SearchedLimit(now: now))
    if let known { count(known.allowance, known.source, edge: nil, now: now) }
  }

  /// The limit that is counted.
  var counted: CountedLimit? {
    if case .counting(let limit) = phase { limit } else { nil }
  }

  /// Requests a second, where only that is known.
  var pacedRate: Double? {
    if case .pacing(let rate) = phase { rate.rate } else { nil }
  }

  /// Requests in flight at most.
  func ceiling(now: Seconds) -> Int? {
    switch phase {
    case .searching(let search): search.ceiling(now: now)
    case .counting(let limit): limit.concurrency(now: now)
    case .pacing(let rate): rate.concurrency(now: now)
    }
  }

  func turn(_ ask: Ask) -> Turn {
    switch phase {
    case .searching(let search): search.turn(ask)
    case .pacing(let rate): rate.turn(ask)
    case .counting(let limit): limit.turn(ask)
    }
  }

  private mutating func count(_ allowance: Allowance, _ source: Standing.Source, edge: Seconds?, now: Seconds) {
    phase = .counting(
      CountedLimit(
        allowance: allowance, source: source, edge: edge, withheld: settings.withheld(of: allowance.count), now: now))
  }

  /// Settings were reloaded.
  mutating func apply(_ settings: PacerSettings, now: Seconds) {
    let old = self.settings
    self.settings = settings
    if let assumed = settings.assume, assumed != old.assume {
      count(assumed, .assumed, edge: nil, now: now)
    } else if settings.assume == nil, counted?.source == .assumed {
      phase = .searching(SearchedLimit(now: now))
    } else if let counted {
      count(counted.allowance, counted.source, edge: counted.edge, now: now)
    }
  }

  /// A reply that cost quota.
  mutating func succeeded(_ reply: ReceivedReply) {
    switch phase {
    case .searching(var search):
      let finding = search.succeeded(reply)
      phase = .searching(search)
      switch finding {
      case nil: break
      case .refill?: phase = .pacing(PacedLimit(log: reply.log, now: reply.now))
      case .limit(let allowance, let edge)?: count(allowance, .learned, edge: edge, now: reply.now)
      }
    case .counting(var limit):
      limit.succeeded(reply)
      phase = .counting(limit)
    case .pacing(var rate):
      rate.succeeded(now: reply.now)
      phase = .pacing(rate)
    }
  }

  /// - Returns: until when all wait and one asks; nil when nobody need stop.
  mutating func refuse(
    _ reading: RateLimitReading?, wait: Seconds?, _ reply: ReceivedReply, jitter: Double
  ) -> Seconds? {
    if let stated = reading?.stated, stated != counted?.allowance {
      return refuse(stating: stated, wait: wait, reply)
    }
    switch phase {
    case .searching(var search):
      defer { phase = .searching(search) }
      return search.refuse(wait: wait, reply)
    case .counting(let limit) where limit.isDisproved(by: reply):
      var search = SearchedLimit(now: reply.now)
      defer { phase = .searching(search) }
      return search.refuse(wait: wait, reply)
    case .counting(var limit):
      defer { phase = .counting(limit) }
      return limit.refuse(wait: wait, reply)
    case .pacing(var rate):
      let (until, isNoRefill) = rate.refuse(wait: wait, reply, jitter: jitter)
      phase = isNoRefill ? .searching(SearchedLimit(now: reply.now)) : .pacing(rate)
      return until
    }
  }

  /// The refusal names a limit that was not known. Documented windows end at multiples of their period on the server's
  /// clock; the probe shows whether this one does.
  private mutating func refuse(stating stated: Allowance, wait: Seconds?, _ reply: ReceivedReply) -> Seconds {
    let edge = reply.clock.epoch(at: reply.now).map { reply.now - $0.truncatingRemainder(dividingBy: stated.period) }
    count(stated, .body, edge: edge, now: reply.now)
    if let wait { return reply.now + wait + 0.05 }
    return edge.map { $0 + stated.period + 0.1 } ?? reply.now + min(1, stated.period / 4)
  }
}
