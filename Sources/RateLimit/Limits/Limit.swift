// One limit of the service by its name, and the model that fits what its replies show: windows until they contradict
// that, then a sliding count or a refill.

struct Bucket: Sendable {
  enum Model: Sendable {
    case window(WindowLimit)
    case sliding(SlidingLimit)
    case refill(RefillLimit)
  }

  /// Tells buckets apart for as long as the pacer lives.
  let number: Int
  private(set) var name: String?
  private(set) var model: Model
  private(set) var seenAt: Seconds
  private var settings: PacerSettings
  private var evidence = RefillEvidence()

  /// Windows no longer than this are over before a Reset in whole seconds says anything: they are paced as a refill.
  /// Against a fixed window that costs a refusal in seven, so it begins no earlier than it must.
  private static let shortestWindow: Seconds = 1

  var allowance: Allowance {
    switch model {
    case .window(let window): window.allowance
    case .sliding(let sliding): sliding.allowance
    case .refill(let refill): refill.allowance
    }
  }

  init(
    number: Int, reading: RateLimitReading, allowance: Allowance, learned: LearnedLimits.Limit?,
    settings: PacerSettings, _ reply: ReceivedReply
  ) {
    self.number = number
    self.settings = settings
    name = reading.name
    seenAt = reply.now
    let remaining = reading.remaining ?? 0
    let withheld = settings.withheld(of: allowance.count)
    if allowance.period <= Self.shortestWindow {
      model = .refill(
        RefillLimit(reading, allowance: allowance, by: reply.flight, withheld: withheld, now: reply.now))
    } else {
      let end =
        reading.reset.map { reset in
          let reset = min(reset, allowance.period + 1)
          return WindowEdge.claim(
            reset: reset, date: reading.date, period: allowance.period, sentAt: reply.flight.sentAt,
            receivedAt: reply.now, clock: reply.clock, aligned: learned?.isAligned == true)
        } ?? Interval(low: reply.flight.sentAt, high: reply.now + allowance.period)
      // Ours are all that were answered since the window began, with or without a word of it, and those in flight.
      let own = max(1, reply.log.count(after: end.middle - allowance.period)) + reply.others.count
      let latest = reading.period == nil ? end.high : max(end.low, min(end.high, reply.now + allowance.period))
      model = .window(
        WindowLimit(
          allowance: allowance, remaining: remaining, end: Interval(low: end.low, high: latest), own: own,
          flight: reply.flight, learned: learned, withheld: withheld, now: reply.now))
    }
  }

  /// Whether a reading is of this limit as far as its period tells: limits without a name, or of one name, can still be two.
  func fits(_ reading: RateLimitReading) -> Bool {
    reading.period == nil || reading.period == allowance.period
  }

  /// Whether less than a tenth of a window is left, as far as was last told.
  var isNearlyEmpty: Bool {
    guard case .window(let window) = model else { return false }
    return window.budget.remaining * 10 < window.budget.limit
  }

  /// A nameless limit turned out to have a name.
  mutating func rename(_ name: String) { self.name = name }

  mutating func apply(_ settings: PacerSettings) {
    self.settings = settings
    let withheld = settings.withheld(of: allowance.count)
    switch model {
    case .window(var window):
      window.withhold(withheld)
      model = .window(window)
    case .sliding(var sliding):
      sliding.withhold(withheld)
      model = .sliding(sliding)
    case .refill(var refill):
      refill.withhold(withheld)
      model = .refill(refill)
    }
  }

  func turn(_ ask: Ask) -> Turn {
    switch model {
    case .window(let window): window.turn(ask)
    case .sliding(let sliding): sliding.turn(ask)
    case .refill(let refill): refill.turn(ask)
    }
  }

  mutating func sent(_ flight: Flight) {
    guard case .window(var window) = model else { return }
    window.sent(flight)
    model = .window(window)
  }

  /// The request did not cost quota after all.
  mutating func giveBack(_ flight: Flight) {
    guard case .window(var window) = model else { return }
    window.giveBack(flight)
    model = .window(window)
  }

  mutating func succeeded() {
    switch model {
    case .window(var window):
      window.succeeded()
      model = .window(window)
    case .sliding(var sliding):
      sliding.succeeded()
      model = .sliding(sliding)
    case .refill(var refill):
      refill.succeeded()
      model = .refill(refill)
    }
  }

  /// A reply that counts this limit.
  mutating func observe(_ reading: RateLimitReading, _ reply: ReceivedReply, shift: Double) {
    seenAt = reply.now
    if reading.period == nil, let reset = reading.reset, UsualPeriod.nearest(reset) > allowance.period + 0.5 {
      lengthen(to: UsualPeriod.nearest(reset))
    }
    evidence.note(reading, allowance)
    switch model {
    case .window(let window) where evidence.isConclusive && window.edge.isAligned != true:
      model = refill(reading, reply)
    case .sliding where evidence.isConclusive:
      model = refill(reading, reply)
    case .window(var window):
      // The end of the window moves: the own log is safe for every kind of limit.
      let isWindow = window.observe(reading, reply, shift: shift) == .fits
      model = isWindow ? .window(window) : sliding(remaining: reading.remaining ?? 0, reply)
    case .sliding(var sliding):
      sliding.observe(reading, reply)
      model = .sliding(sliding)
    case .refill(var refill):
      refill.observe(reading, reply)
      model = .refill(refill)
    }
  }

  /// No window is shorter than the time that is left of it.
  private mutating func lengthen(to period: Seconds) {
    switch model {
    case .window(var window):
      window.lengthen(to: period)
      model = .window(window)
    case .sliding(var sliding):
      sliding.lengthen(to: period)
      model = .sliding(sliding)
    case .refill: break
    }
  }

  /// A reply that says nothing of this limit.
  mutating func observeSilence(_ reply: ReceivedReply, shift: Double) {
    switch model {
    case .window(var window):
      window.observeSilence(reply, shift: shift)
      model = .window(window)
    case .refill(var refill):
      refill.observeSilence(reply)
      model = .refill(refill)
    case .sliding(var sliding):
      sliding.observeSilence(now: reply.now)
      model = .sliding(sliding)
    }
  }

  mutating func refuse(_ reading: RateLimitReading?, wait: Seconds?, _ reply: ReceivedReply) -> WindowLimit.Refusal {
    switch model {
    case .window(var window):
      defer { model = .window(window) }
      return window.refuse(reading, wait: wait, reply)
    case .sliding(var sliding):
      defer { model = .sliding(sliding) }
      return sliding.refuse(reading, wait: wait, reply).map { .closed(until: $0) } ?? .outdated
    case .refill(var refill):
      let until = refill.refuse(reading, wait: wait, reply)
      model = .refill(refill)
      if evidence.noteRefusal(period: allowance.period, now: reply.now), allowance.period > Self.shortestWindow {
        model = sliding(remaining: 0, reply)
      }
      return .closed(until: until)
    }
  }

  private func sliding(remaining: Int, _ reply: ReceivedReply) -> Model {
    .sliding(
      SlidingLimit(
        allowance: allowance, remaining: remaining, withheld: settings.withheld(of: allowance.count), now: reply.now))
  }

  private func refill(_ reading: RateLimitReading, _ reply: ReceivedReply) -> Model {
    .refill(
      RefillLimit(
        reading, allowance: allowance, by: reply.flight, withheld: settings.withheld(of: allowance.count),
        now: reply.now))
  }
}

extension Bucket {
  /// Requests that may still be sent before the limit is reached, what is left to others included.
  func available(_ ask: Ask) -> Int {
    switch model {
    case .window(let window): max(0, window.budget.available(inFlight: ask.inFlight))
    case .sliding(let sliding): sliding.available(ask)
    case .refill(let refill): max(0, Int(clamping: refill.available(at: ask.now)) - ask.inFlight)
    }
  }

  /// Requests of those that are left to others.
  func reserved(_ ask: Ask) -> Int {
    switch model {
    case .window(let window): min(available(ask), window.reserved(ask))
    case .sliding, .refill: min(available(ask), settings.withheld(of: allowance.count))
    }
  }

  /// Requests that this window will still bring us: what is withheld from nobody in particular is released in its course.
  func ours(_ ask: Ask) -> Int {
    if case .window(let window) = model, window.others.isQuiet(allowance) {
      return max(0, available(ask) - settings.withheld(of: allowance.count))
    }
    return max(0, available(ask) - reserved(ask))
  }

  /// Seconds until requests are granted anew.
  func resetsIn(_ ask: Ask) -> Seconds {
    switch model {
    case .window(let window): max(0, window.edge.end.middle - ask.now)
    case .sliding(let sliding): sliding.resetsIn(ask)
    case .refill(let refill): max(0, refill.allowance.tokens - refill.available(at: ask.now)) / refill.allowance.rate
    }
  }

  /// What this limit will bring us, others' use and the operator's reserve taken off.
  func supply(_ ask: Ask) -> Supply {
    let withheld = Double(settings.withheld(of: allowance.count))
    var supply = Supply(
      now: Double(ours(ask)), wait: resetsIn(ask), tokens: allowance.tokens - withheld, period: allowance.period)
    switch model {
    case .window(let window): supply.tokens = allowance.tokens - max(withheld, window.others.expected)
    case .sliding(let sliding): supply.wait = sliding.wait(for: ask.backlog - ours(ask), ask)
    case .refill: (supply.tokens, supply.isContinuous) = (allowance.tokens, true)
    }
    return supply
  }
}
