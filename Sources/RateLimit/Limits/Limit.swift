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
  /// Tells limits apart while the pacer lives; 0 for the one that no reply mentions.
  let number: Int
  private(set) var name: String?
  private(set) var model: any LimitModel
  /// When a reply last counted it.
  private(set) var seenAt: Seconds
  private var settings: PacerSettings
  private var evidence = RefillEvidence()
  /// The last reply's Reset, if it was longer than the known period.
  private var longReset: (seconds: Seconds, at: Seconds)?

  /// Windows no longer than this are over before a Reset in whole seconds means anything: they are paced as a refill.
  /// Against a fixed window that costs one refusal in seven, so the value is as small as possible.
  private static let shortestWindow: Seconds = 1
  /// Seconds by which a period must be longer than the known one to replace it.
  private static let longer: Seconds = 0.5
  /// Seconds by which the next Reset may be less than what is left of a long one, if both are of the same window.
  private static let resetTolerance: Seconds = 2
  /// The longest wait for a limit, in periods, and a minimum in seconds.
  private static let longestWaitPeriods = 2.0
  private static let shortestLongestWait: Seconds = 60
  private static let longestUntoldWait: Seconds = 3_600

  /// A limit that no reply mentions.
  ///
  /// - Parameter learned: What an earlier run knew about it. The operator's assumption takes precedence.
  init(settings: PacerSettings, learned: Allowance?, now: Seconds) {
    number = 0
    self.settings = settings
    seenAt = now
    if let assumed = settings.assume {
      model = CountedLimit(allowance: assumed, source: .assumed, edge: nil, reserve: settings.reserve, now: now)
    } else if let learned, learned.period <= SearchedLimit.longestPeriod {
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

  /// Whether replies mention it.
  var isTold: Bool { model.source == .headers }

  /// Whether the period of a reading fits this limit: limits without a name, or with the same name, can still be two.
  func fits(_ reading: RateLimitReading) -> Bool {
    isTold && (reading.period == nil || reading.period == model.granted?.period)
  }

  /// Whose count a probe for this limit ignores.
  var asker: Gate.Asker { isTold ? .limit(number) : .everyone }

  /// The longest time for which a refusal closes the gate. A wrong or hostile value must not stop the work for good, and a
  /// probe is cheap: two windows of a limit in the headers, an hour for one that only refusals name. The operator's word
  /// is final.
  var longestWait: Seconds {
    guard isTold, let granted = model.granted else {
      return model.source == .assumed ? .infinity : Self.longestUntoldWait
    }
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

  /// A reply that counts against this limit.
  mutating func observe(_ reading: RateLimitReading, _ reply: ReceivedReply) {
    seenAt = reply.now
    if reading.period == nil, let reset = reading.reset { lengthen(toHold: reset, at: reply.now) }
    guard let granted = model.granted else { return }
    evidence.note(reading, granted)
    if evidence.isConclusive && model.yieldsToRefill {
      model = RefillLimit(reading, allowance: granted, reserve: settings.reserve, reply)
    } else if let successor = model.observe(reading, reply) {
      become(successor, reply)
    }
  }

  /// No window is shorter than the time it has left. Two replies in a row must show it: one may come from elsewhere.
  private mutating func lengthen(toHold reset: Seconds, at now: Seconds) {
    guard let granted = model.granted, UsualPeriod.nearest(reset) > granted.period + Self.longer else {
      longReset = nil
      return
    }
    defer { longReset = (reset, now) }
    guard let earlier = longReset, reset >= earlier.seconds - (now - earlier.at) - Self.resetTolerance else { return }
    model.lengthen(to: UsualPeriod.nearest(earlier.seconds))
  }

  /// A reply that does not mention this limit.
  mutating func observeSilence(_ reply: ReceivedReply) { model.observeSilence(reply) }

  /// A request passed that counts against this limit.
  mutating func succeeded(_ reply: ReceivedReply) {
    if let successor = model.succeeded(reply) { become(successor, reply) }
  }

  /// A 429 of this limit.
  ///
  /// - Parameter wait: Its Retry-After, capped.
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
      // Our own log is safe for every kind of limit.
      model = SlidingLimit(allowance: granted, remaining: remaining, reserve: settings.reserve, now: reply.now)
    case .searched: model = SearchedLimit(now: reply.now)
    case .paced: model = PacedLimit(log: reply.log, now: reply.now)
    case .counted(let allowance, let edge):
      model = CountedLimit(
        allowance: allowance, source: .learned, edge: edge, reserve: settings.reserve, now: reply.now)
    }
  }
}
