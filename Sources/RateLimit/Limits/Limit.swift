// One limit of the service: its name, and the model that fits what its replies show. Which model follows which:
//
//   first reply that counts   neither Reset nor Period                         untimed
//   first reply that counts   period of 1 s or less                            refill, else window
//   untimed                   what was used came back together, twice          sliding, its period learned
//   untimed                   it comes back all the time                       refill
//   sliding after untimed     refused too late, or came back too early         untimed
//   either of these           two replies have Reset or Period                 window
//   window                    the end moves with every request                 sliding
//   window                    used up, and more passes before the next begins  sliding
//   window, not aligned       Reset rises as the count falls                   refill
//   sliding                   Reset rises as the count falls                   refill
//   refill                    five refusals within a period of more than 1 s   sliding, and never refill again
//
//   nothing is known          assumed, or learned by an earlier run            counted, else searched
//   searched                  quota came back at once, twice                   paced
//   searched                  a usual period after the first request, and more counted
//   searched                  two moments at which quota came back             counted
//   counted, found by search  refused though nothing of ours stands in it      searched
//   counted, found by search  a Retry-After that is longer than its period     searched
//   paced                     five probes in a row are refused                 searched
//   any of the last three     a refusal's text names another limit             counted
//   any that replies told of  replies do not repeat it (Repetition)            the one before it was told

struct Limit: Sendable {
  /// Tells limits apart while the pacer lives; 0 for the one that no reply mentions.
  let number: Int
  private(set) var name: String?
  private(set) var model: any LimitModel
  /// When a reply last counted it.
  private(set) var seenAt: Seconds
  private var settings: PacerSettings
  private var evidence = RefillEvidence()
  private var replies: Replies

  /// What replies say of a limit.
  private enum Replies {
    /// Nothing: it is assumed, remembered or searched for.
    case silent
    /// How much is left, but neither Reset nor Period, so the period is learned from what comes back. This many replies
    /// in a row had one of them after all.
    case count(timed: Int)
    /// Also when its window ends, or how long that is.
    case time(LongestReset)
  }

  /// Windows no longer than this are over before a Reset in whole seconds means anything: they are paced as a refill.
  /// Against a fixed window that costs one refusal in seven, so the value is as small as possible.
  private static let shortestWindow: Seconds = 1
  /// Replies in a row with a Reset or a Period after which the limit is no longer untimed: one may come from elsewhere.
  private static let timed = 2
  /// By this factor a bucket's period must be longer than the known one to replace it.
  private static let farLonger = 1.25
  /// A period that what came back has shown must be longer than these seconds to be counted in our log. What comes back
  /// more often is paced as a refill.
  private static let shortestShown: Seconds = 0.2
  /// The longest wait for a limit, in periods, and a minimum in seconds.
  private static let longestWaitPeriods = 2.0
  private static let shortestLongestWait: Seconds = 60
  private static let longestUntoldWait: Seconds = 3_600

  /// A limit that no reply mentions.
  ///
  /// - Parameter learned: What an earlier run knew about it. The operator's assumption takes precedence.
  init(settings: PacerSettings, learned: LearnedLimits.Limit?, now: Seconds) {
    number = 0
    replies = .silent
    self.settings = settings
    seenAt = now
    if let assumed = settings.assume {
      model = CountedLimit(allowance: assumed, source: .assumed, edge: nil, reserve: settings.reserve, now: now)
    } else if let learned, learned.allowance.period <= SearchedLimit.longestPeriod {
      name = learned.name
      model = CountedLimit(
        allowance: learned.allowance, source: .learned, edge: learned.edge, reserve: settings.reserve, now: now)
    } else {
      model = SearchedLimit(now: now)
    }
  }

  /// A limit that a reply counts.
  init(
    number: Int, reading: RateLimitReading, count: Int, period: Seconds?, learned: LearnedLimits.Limit?,
    settings: PacerSettings, _ reply: ReceivedReply
  ) {
    self.number = number
    self.settings = settings
    name = reading.name
    seenAt = reply.now
    replies = reading.isTimed ? .time(LongestReset()) : .count(timed: 0)
    guard let period else {
      model = UntimedLimit(
        count: count, remaining: reading.remaining ?? 0, from: reply.flight.sentAt, reserve: settings.reserve, reply)
      return
    }
    let allowance = Allowance(count: count, period: period)
    if period <= Self.shortestWindow {
      model = RefillLimit(reading, allowance: allowance, reserve: settings.reserve, reply)
    } else if !reading.isTimed {
      model = SlidingLimit(
        allowance: allowance, remaining: reading.remaining ?? 0, isLearned: true, isShown: true,
        reserve: settings.reserve, now: reply.now)
    } else {
      model = WindowLimit(reading, allowance: allowance, learned: learned, reserve: settings.reserve, reply)
    }
  }

  /// Whether replies mention it.
  var isTold: Bool { if case .silent = replies { false } else { true } }

  /// Whether the period is learned from what comes back.
  private var isPeriodLearned: Bool { if case .count = replies { true } else { false } }

  /// Whether the period of a reading fits this limit: limits without a name, or with the same name, can still be two.
  func fits(_ reading: RateLimitReading) -> Bool {
    isTold && (reading.period == nil || isPeriodLearned || reading.period == model.granted?.period)
  }

  /// Whose count a probe for this limit ignores.
  var asker: Gate.Asker { isTold ? .limit(number) : .everyone }

  /// The longest time for which a refusal closes the gate, since a wrong value must not stop the work for good: two
  /// windows of a limit in the headers, an hour for one that only refusals name. The operator's word is final.
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
    switch replies {
    case .silent: break
    case .count(let timed):
      let period = reading.period ?? reading.reset.map(UsualPeriod.nearest)
      if let period, timed + 1 >= Self.timed {
        self = Limit(
          number: number, reading: reading, count: reading.limit ?? model.granted?.count ?? 1, period: period,
          learned: nil, settings: settings, reply)
        return
      }
      replies = .count(timed: period == nil ? 0 : timed + 1)
    case .time(var resets):
      guard reading.period == nil, let reset = reading.reset else { break }
      let longer = resets.note(reset, period: model.granted?.period, at: reply.now)
      replies = .time(resets)
      if let longer { model.lengthen(to: longer) }
    }
    guard let granted = model.granted else {
      if let successor = model.observe(reading, reply) { become(successor, reading, reply) }
      return
    }
    evidence.note(reading, granted)
    let risen = reading.period == nil ? evidence.period(of: reading, limit: granted.count) : nil
    if let period = risen, model.yieldsToRefill, period > Self.farLonger * granted.period {
      let bucket = Allowance(count: granted.count, period: period)
      model = RefillLimit(reading, allowance: bucket, reserve: settings.reserve, reply)
    } else if evidence.isConclusive && model.yieldsToRefill {
      model = RefillLimit(reading, allowance: granted, reserve: settings.reserve, reply)
    } else if let successor = model.observe(reading, reply) {
      become(successor, reading, reply)
    }
  }

  /// A reply that does not mention this limit.
  mutating func observeSilence(_ reply: ReceivedReply) { model.observeSilence(reply) }

  /// A request passed that counts against this limit.
  mutating func succeeded(_ reply: ReceivedReply) {
    if let successor = model.succeeded(reply) { become(successor, nil, reply) }
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
    case .closed(_, let successor?): become(successor, nil, reply)
    case .disproved(let successor):
      become(successor, nil, reply)
      return model.refuse(reading, wait: wait, reply)
    }
    return refusal
  }

  private mutating func become(_ successor: Successor, _ reading: RateLimitReading?, _ reply: ReceivedReply) {
    switch successor {
    case .sliding(let remaining):
      guard var granted = model.granted, granted.period > Self.shortestWindow else { return }
      var isLearned = isPeriodLearned
      if case .time(let resets) = replies, let shorter = resets.period(farShorterThan: granted.period) {
        (granted.period, isLearned) = (shorter, true)
      }
      if model is RefillLimit { evidence.ruleOut() }
      // Our own log is safe for every kind of limit.
      model = SlidingLimit(
        allowance: granted, remaining: remaining, isLearned: isLearned, isShown: isPeriodLearned,
        reserve: settings.reserve, now: reply.now)
    case .shown(let allowance, let remaining):
      if allowance.period > Self.shortestShown {
        model = SlidingLimit(
          allowance: allowance, remaining: remaining, isLearned: true, isShown: isPeriodLearned,
          reserve: settings.reserve, now: reply.now)
      } else if let reading {
        model = RefillLimit(reading, allowance: allowance, reserve: settings.reserve, reply)
      }
    case .refilling(let allowance):
      if let reading {
        model = RefillLimit(reading, allowance: allowance, isLearned: true, reserve: settings.reserve, reply)
      }
    case .untimed(let remaining, let from):
      guard let granted = model.granted else { return }
      model = UntimedLimit(
        count: granted.count, remaining: remaining, from: from, isFirst: false, reserve: settings.reserve, reply)
    case .searched: model = SearchedLimit(now: reply.now)
    case .paced: model = PacedLimit(log: reply.log, now: reply.now)
    case .counted(let allowance, let edge):
      model = CountedLimit(
        allowance: allowance, source: .learned, edge: edge, reserve: settings.reserve, now: reply.now)
    }
  }
}
