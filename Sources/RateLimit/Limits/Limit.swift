// One limit of the service: its name, and the model that fits what its replies show. Which model follows which:
//
//   first reply that counts   period of 1 s or less                            refill, else window
//   window                    the end moves with every request                 sliding
//   window, not aligned       Reset rises as the count falls                   refill
//   sliding                   Reset rises as the count falls                   refill
//   refill                    five refusals within a period of more than 1 s   sliding, and never refill again
//
//   nothing is known          assumed, or learned by an earlier run            counted, else searched
//   searched                  quota came back at once, twice                   paced
//   searched                  two moments at which quota came back             counted
//   counted, found by search  refused though nothing of ours stands in it      searched
//   paced                     five probes in a row are refused                 searched
//   any of these three        a refusal's text names another limit             counted

struct Limit: Sendable {
  /// Tells limits apart for as long as the pacer lives; 0 for the one that no reply tells of.
  let number: Int
  private(set) var name: String?
  private(set) var model: any LimitModel
  /// When a reply last counted it.
  private(set) var seenAt: Seconds
  private var settings: PacerSettings
  private var evidence = RefillEvidence()

  /// Windows no longer than this are over before a Reset in whole seconds says anything: they are paced as a refill.
  /// Against a fixed window that costs a refusal in seven, so it begins no earlier than it must.
  private static let shortestWindow: Seconds = 1
  /// Seconds by which a period must be longer than was thought to replace it.
  private static let longer: Seconds = 0.5
  /// The longest wait for a limit, in periods, and in seconds where that is longer.
  private static let longestWaitPeriods = 2.0
  private static let shortestLongestWait: Seconds = 60

  /// A limit that no reply tells of.
  ///
  /// - Parameter learned: what an earlier run knew of it; what the operator assumes goes before it.
  init(settings: PacerSettings, learned: Allowance?, now: Seconds) {
    number = 0
    self.settings = settings
    seenAt = now
    if let assumed = settings.assume {
      model = CountedLimit(allowance: assumed, source: .assumed, edge: nil, reserve: settings.reserve, now: now)
    } else if let learned {
      model = CountedLimit(allowance: learned, source: .learned, edge: nil, reserve: settings.reserve, now: now)
    } else {
      model = SearchedLimit(now: now)
    }
  }

  /// A limit that a reply counts.
  init(
    number: Int, reading: RateLimitReading, allowance: Allowance, learned: LearnedLimits.Limit?,
    settings: PacerSettings, _ reply: ReceivedReply
  ) {
    self.number = number
    self.settings = settings
    name = reading.name
    seenAt = reply.now
    model =
      allowance.period <= Self.shortestWindow
      ? RefillLimit(reading, allowance: allowance, reserve: settings.reserve, reply)
      : WindowLimit(reading, allowance: allowance, learned: learned, reserve: settings.reserve, reply)
  }

  /// Whether replies tell of it.
  var isTold: Bool { model.source == .headers }

  /// Whether a reading is of this limit as far as its period tells: limits without a name, or of one name, can still be two.
  func fits(_ reading: RateLimitReading) -> Bool {
    isTold && (reading.period == nil || reading.period == model.granted?.period)
  }

  /// Whose own count the probe disregards that this limit asks for.
  var asker: Gate.Asker { isTold ? .limit(number) : .everyone }

  /// No wait for a limit that replies tell of is longer than two windows: a wrong or hostile value must not stop the work
  /// for good, and a probe is cheap.
  var longestWait: Seconds {
    guard isTold, let granted = model.granted else { return .infinity }
    return max(Self.shortestLongestWait, Self.longestWaitPeriods * granted.period)
  }

  // MARK: What changes it

  /// A nameless limit turned out to have a name.
  mutating func rename(_ name: String) { self.name = name }

  /// Settings were reloaded.
  mutating func apply(_ new: PacerSettings, now: Seconds) {
    let old = settings
    settings = new
    model.apply(new.reserve)
    guard !isTold, new.assume != old.assume else { return }
    if new.assume != nil || model.source == .assumed { self = Limit(settings: new, learned: nil, now: now) }
  }

  mutating func sent(_ flight: Flight) { model.sent(flight) }

  /// The request did not cost quota after all.
  mutating func giveBack(_ flight: Flight) { model.giveBack(flight) }

  /// A reply that counts this limit.
  mutating func observe(_ reading: RateLimitReading, _ reply: ReceivedReply) {
    seenAt = reply.now
    if reading.period == nil, let reset = reading.reset { lengthen(toHold: reset) }
    guard let granted = model.granted else { return }
    evidence.note(reading, granted)
    if evidence.isConclusive && model.yieldsToRefill {
      model = RefillLimit(reading, allowance: granted, reserve: settings.reserve, reply)
    } else if let successor = model.observe(reading, reply) {
      become(successor, reply)
    }
  }

  /// No window is shorter than the time that is left of it.
  private mutating func lengthen(toHold reset: Seconds) {
    let period = UsualPeriod.nearest(reset)
    if let granted = model.granted, period > granted.period + Self.longer { model.lengthen(to: period) }
  }

  /// A reply that says nothing of this limit.
  mutating func observeSilence(_ reply: ReceivedReply) { model.observeSilence(reply) }

  /// A request passed that this limit counts.
  mutating func succeeded(_ reply: ReceivedReply) {
    if let successor = model.succeeded(reply) { become(successor, reply) }
  }

  /// A 429 that is of this limit.
  ///
  /// - Parameter wait: its Retry-After, capped.
  mutating func refuse(_ reading: RateLimitReading?, wait: Seconds?, _ reply: ReceivedReply) -> Refusal {
    if !isTold, let stated = reading?.stated, stated != model.granted {
      let counted = CountedLimit(stated: stated, reserve: settings.reserve, reply)
      model = counted
      return .closed(until: counted.opens(wait: wait, reply))
    }
    let refusal = model.refuse(reading, wait: wait, reply)
    switch refusal {
    case .ignored, .elsewhere, .closed(_, nil): break
    case .closed(_, let successor?): become(successor, reply)
    case .disproved(let successor):
      become(successor, reply)
      return model.refuse(reading, wait: wait, reply)
    }
    return refusal
  }

  private mutating func become(_ successor: Successor, _ reply: ReceivedReply) {
    switch successor {
    case .sliding(let remaining):
      guard let granted = model.granted, granted.period > Self.shortestWindow else { return }
      if model is RefillLimit { evidence.ruleOut() }
      // The own log is safe for every kind of limit.
      model = SlidingLimit(allowance: granted, remaining: remaining, reserve: settings.reserve, now: reply.now)
    case .searched: model = SearchedLimit(now: reply.now)
    case .paced: model = PacedLimit(log: reply.log, now: reply.now)
    case .counted(let allowance, let edge):
      model = CountedLimit(
        allowance: allowance, source: .learned, edge: edge, reserve: settings.reserve, now: reply.now)
    }
  }
}
