// A limit whose count starts anew at the end of each window, told by headers: the documented kind, and the one that all
// recorded replies show.
//
// In such a window only two things decide when the work is done: how much of every window is used up, and when the last
// one is begun. So requests are spread while the backlog needs more than this window, which leaves neighbours alone and
// keeps tokens for a limit that is raised; and they go at full speed once the backlog fits into what is left.

struct FixedWindow: Sendable {
  private(set) var period: Seconds
  private(set) var edge: WindowEdge
  private(set) var budget: WindowBudget
  private(set) var others: Neighbours
  private(set) var startedAt: Seconds
  /// Windows begun since the first, which was seen only in part.
  private(set) var windows = 0
  /// Seconds to wait after the edge: a server may restore late. Grows when a probe is refused, shrinks with clean windows.
  private var lateness: Seconds = 0.25
  private var refusedProbes = 0
  private var doubts = 0
  /// A fraction of the jitter after the edge, drawn once a window.
  private var shift = 0.5
  /// Requests of each window that the operator leaves to others.
  private var withheld: Int

  var allowance: Allowance { Allowance(count: budget.limit, period: period) }

  /// How much faster than even the window is used while others use it too, so that the end is not a rush.
  private static let tempo = 1.15
  /// The same while nobody else does: what is sent early cannot be lost to an outage. More where the windows may turn out
  /// not to be fixed.
  private static let tempoAlone = 1.85
  private static let tempoUnsure = 6.0
  /// The fastest of all together while others are about, in multiples of the even rate.
  private static let rush = 16.0
  /// Shortest wait after an edge, longest, and how it is widened by a refusal.
  private static let latenesses: ClosedRange<Seconds> = 0.02...2

  init(
    allowance: Allowance, remaining: Int, end: Interval, own: Int, flight: Flight, learned: LearnedLimits.Limit?,
    withheld: Int, now: Seconds
  ) {
    self.withheld = withheld
    period = allowance.period
    edge = WindowEdge(end: end, aligned: learned?.isAligned == true ? true : nil)
    budget = WindowBudget(limit: allowance.count, remaining: remaining, own: own, by: flight, at: now)
    startedAt = end.high - period
    others = Neighbours(
      taken: Double(budget.takenByOthers), elapsed: now - startedAt, history: learned?.takenByOthers ?? [], at: now)
  }

  // MARK: May the next request go?

  func turn(_ ask: Ask) -> Turn {
    let now = ask.now
    let raw = budget.available(inFlight: ask.inFlight)
    if now >= edge.end.high + lateness {
      // The window is over and nobody has said what the new one holds. What was left of the old one passes either way.
      return raw > max(withheld, others.reserve(allowance, left: period, roundTrip: ask.roundTrip)) ? .go : .probe
    }
    // No window ends later than a period from now: replies out of all order have led astray.
    if edge.isAbsurd(at: now, period: period) { return .probe }
    let wake = edge.end.high + lateness + shift * 0.05
    let quiet = others.isQuiet(allowance)
    // The rest fits: finish. What is left to nobody in particular would only delay the last few keys.
    if quiet && ask.backlog <= raw - withheld { return .go }
    let usable = raw - reserved(ask)
    if usable < 1 { return whenEmpty(ask, raw: raw, wake: wake) }
    let limit = Double(budget.limit)
    // With others about, all together at no more than so many times the even rate: many daemons that all take what they
    // see would empty the window within a round trip.
    let pressure = others.pressure(own: budget.own, allowance: allowance, now: now)
    let gap = min(max(1, pressure / Self.rush), 2 * Self.rush) * period / (Self.rush * limit)
    if !quiet && ask.backlog <= usable {
      let spare = Double(raw) - others.demand(allowance, left: edge.end.low - now)
      if Double(ask.backlog) <= spare { return at(ask.lastSentAt + gap, now) }
    }
    let margin = max(1.5 * ask.roundTrip, 0.02 * period) + edge.end.width
    let left = max(0, edge.end.low - now - margin)
    if quiet {
      let tempo = edge.isAligned == true ? Self.tempoAlone : Self.tempoUnsure
      return at(ask.lastSentAt + left / (Double(usable) * tempo), now)
    }
    // Too late to arrive before the reset for sure, and not worth a rush.
    let few = 10 + 4 * others.rate * ask.roundTrip + 0.05 * limit
    if edge.end.low - now < 0.7 * ask.roundTrip && period > 5 && Double(usable) < few {
      let clear = edge.end.low + ask.roundTrip
      return .wait(until: clear > now ? min(wake, clear) : wake)
    }
    // What the reserve releases towards the end is not dumped at once.
    return at(ask.lastSentAt + max(left / (Double(usable) * Self.tempo), gap), now)
  }

  /// Requests of what remains that are not ours to take now.
  func reserved(_ ask: Ask) -> Int {
    max(
      withheld,
      others.reserve(allowance, left: edge.end.low - ask.now, roundTrip: ask.roundTrip))
  }

  private func at(_ instant: Seconds, _ now: Seconds) -> Turn {
    instant > now ? .wait(until: instant) : .go
  }

  private func whenEmpty(_ ask: Ask, raw: Int, wake: Seconds) -> Turn {
    let now = ask.now
    if let doubtAt = doubtAt(ask) { return doubtAt <= now ? .probe : .wait(until: min(doubtAt, wake)) }
    if raw < 1 {
      return .wait(until: budget.remaining < 1 || budget.own >= budget.limit ? wake : min(wake, now + 0.5))
    }
    // The reserve is released bit by bit as the window runs out.
    return .wait(until: min(wake, now + max(0.1, period / 100)))
  }

  /// A header alone says that the window is empty, and neither we nor the usual others explain it: a replica that is behind
  /// still shows the last window. When to ask again, nil when there is nothing to doubt.
  private func doubtAt(_ ask: Ask) -> Seconds? {
    let limit = Double(budget.limit)
    guard windows > 0, !budget.isConfirmedEmpty, ask.inFlight == 0, doubts < 5, withheld == 0,
      others.taken - others.worst > 0.1 * limit,
      limit - Double(budget.own) - others.worst > 0.1 * limit,
      ask.now - startedAt < 0.5 * period, edge.end.low - ask.now > min(3, 0.3 * period)
    else { return nil }
    return budget.readAt + min(1.1, 0.1 * period) * Double(1 << doubts)
  }

  // MARK: What was sent

  mutating func sent(_ flight: Flight) {
    budget.sent()
    if flight.isProbe && flight.sentAt < edge.end.high { doubts += 1 }
  }

  /// Whether a request was sent in the window that is known.
  private func holds(_ flight: Flight) -> Bool { windows == 0 || flight.sentAt >= startedAt }

  mutating func giveBack(_ flight: Flight) {
    if holds(flight) { budget.giveBack() }
  }

  // MARK: What was answered

  enum Observation {
    case fits, isNoWindow
  }

  /// A reply that counts this limit.
  mutating func observe(_ reading: RateLimitReading, _ reply: Reply, shift newShift: Double) -> Observation {
    let (flight, now) = (reply.flight, reply.now)
    guard let remaining = reading.remaining else { return .fits }
    // Without a Limit field the largest count seen is the best guess.
    budget.change(limit: reading.limit ?? max(budget.limit, remaining), remaining: remaining, by: flight)
    guard let reset = reading.reset.map({ min($0, period + 1) }) else {
      observeWithoutReset(remaining, reply, shift: newShift)
      return .fits
    }
    if let date = reading.date { edge.noteAlignment(reset: reset, date: date, period: period) }
    let claim = { [period] (aligned: Bool) in
      WindowEdge.claim(
        reset: reset, date: reading.date, period: period, sentAt: flight.sentAt, receivedAt: now, clock: reply.clock,
        aligned: aligned)
    }
    let over = edge.end
    let placement = edge.place(
      claim(edge.isAligned == true), raw: claim(false), period: period, sentAt: flight.sentAt, now: now,
      isLate: reset > 1)
    switch placement {
    case .past, .ignored:
      return .fits
    case .moving:
      return .isNoWindow
    case .replaced:
      budget.replace(
        remaining: flight.sentAt < over.high ? min(budget.remaining, remaining) : remaining, by: flight, at: now)
      return .fits
    case .later(let count):
      begin(at: over.low + Double(count - 1) * period, remaining: remaining, reply, shift: newShift)
    case .current:
      break
    }
    if case .current = placement {
      // Refused although something was thought to be left: others were faster than forecast.
      if reply.isThrottled && !flight.isProbe && remaining == 0 && budget.remaining > 2 {
        others.beCautious()
      }
      let lagged = budget.isLagging
      budget.read(
        remaining, flight: flight, inFlight: reply.others.count, throttled: reply.isThrottled, startedAt: startedAt,
        now: now)
      if budget.isLagging && !lagged { others.forget(taken: budget.takenByOthers) }
    }
    others.observe(taken: budget.takenByOthers, most: budget.mostForOthers, period: period, now: now)
    return .fits
  }

  /// Counts without an end: the count that rises after the window's supposed end is the next window's.
  private mutating func observeWithoutReset(_ remaining: Int, _ reply: Reply, shift: Double) {
    if reply.flight.sentAt > edge.end.high && remaining > budget.remaining {
      advance(reply, remaining: remaining, shift: shift)
    } else if holds(reply.flight) {
      budget.read(
        min(remaining, budget.remaining), flight: reply.flight, inFlight: reply.others.count,
        throttled: reply.isThrottled, startedAt: startedAt, now: reply.now)
    }
  }

  /// A reply that says nothing of this limit.
  mutating func observeSilence(_ reply: Reply, shift: Double) {
    guard reply.kind != .throttled, reply.kind != .refused else { return }
    if reply.flight.sentAt > edge.end.high {
      // It passed after the window's end, so a new window has begun, untouched as far as is known.
      advance(reply, remaining: budget.limit - 1, shift: shift)
    } else {
      budget.countUnread(reply.flight)
      // A doubt that was not answered is still one.
      if reply.flight.isProbe { doubts = max(0, doubts - 1) }
    }
  }

  private mutating func advance(_ reply: Reply, remaining: Int, shift: Double) {
    let count = max(1, Int(min(((reply.flight.sentAt - edge.end.high) / period).rounded(.up), 1e9)))
    let start = edge.end.low + Double(count - 1) * period
    edge.advance(windows: count, period: period)
    begin(at: start, remaining: remaining, reply, shift: shift)
  }

  private mutating func begin(at start: Seconds, remaining: Int, _ reply: Reply, shift newShift: Double) {
    // What was doubted to the end and never confirmed says nothing of others.
    let isDoubtful = doubts > 0 && !budget.isConfirmedEmpty
    windows += 1
    startedAt = start
    doubts = 0
    lateness = max(Self.latenesses.lowerBound, lateness * 0.93)
    shift = newShift
    let elapsed = reply.now - start
    let usual = Int(others.worst)
    let own = 1 + reply.others.count { $0.sentAt >= start }
    budget.renew(remaining: remaining, own: own, usualForOthers: usual, by: reply.flight, at: reply.now)
    others.beginWindow(
      taken: budget.takenByOthers, limit: budget.limit, elapsed: elapsed, recording: windows > 1 && !isDoubtful,
      now: reply.now)
  }

  // MARK: What was refused

  enum Refusal {
    /// Of a window that is over: nobody stops for it.
    case outdated
    /// Of another limit than this one.
    case elsewhere
    case closed(until: Seconds)
  }

  /// A 429. `wait` is its Retry-After, capped.
  mutating func refuse(_ reading: RateLimitReading?, wait: Seconds?, _ reply: Reply) -> Refusal {
    let (flight, now) = (reply.flight, reply.now)
    guard holds(flight) else { return .outdated }
    if let left = reading?.remaining {
      if left > 0 && wait == nil { return .elsewhere }
    }
    budget.close()
    if flight.isProbe {
      refusedProbes += 1
      lateness = min(Self.latenesses.upperBound, lateness + 0.25 * Double(refusedProbes))
    }
    let end = edge.end.high
    var until: Seconds
    if let wait {
      until = now + wait + (wait > 0 ? 0 : 0.5 * Double(refusedProbes))
      // Both name the same second: the finer estimate holds.
      if end > now && abs(end - until) < 1.5 { until = end }
    } else if end > now {
      until = end
    } else if reading?.reset != nil {
      until = now + max(0.25, min(1, 0.25 * Double(refusedProbes)))
    } else {
      until = now + min(30, Double(1 << min(refusedProbes, 5)))
    }
    return .closed(until: until + lateness + shift * 0.05)
  }

  mutating func succeeded() { refusedProbes = 0 }

  /// The operator changed what is left to others.
  mutating func withhold(_ count: Int) { withheld = count }
}
