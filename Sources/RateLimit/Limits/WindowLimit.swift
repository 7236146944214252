// A limit whose count starts anew at the end of each window, told by headers: the documented kind, and the one that all
// recorded replies show.
// When a request may go in it is in WindowPace.swift.

struct WindowLimit: LimitModel {
  private(set) var period: Seconds
  private(set) var edge: WindowEdge
  private(set) var budget: WindowBudget
  private(set) var others: Neighbours
  private(set) var startedAt: Seconds
  /// Windows begun since the first, which was seen only in part.
  private(set) var windows = 0
  /// Seconds to wait after the edge: a server may restore late. Grows when a probe is refused, shrinks with clean windows.
  private(set) var lateness: Seconds = 0.05
  private var refusedProbes = 0
  /// Own requests of the last window that a first look at this one may have counted: there may be no windows.
  private var carried = 0
  private(set) var doubts = 0
  /// A fraction of the jitter after the edge, drawn once a window.
  private(set) var shift = 0.5
  private var reserve: PacerSettings.Reserve

  var allowance: Allowance { Allowance(count: budget.limit, period: period) }
  var granted: Allowance? { allowance }
  var source: Standing.Source { .headers }
  /// Requests of each window that the operator leaves to others.
  var withheld: Int { reserve.withheld(of: budget.limit) }
  var isNearlyEmpty: Bool { budget.remaining * 10 < budget.limit }
  var yieldsToRefill: Bool { edge.isAligned != true }

  /// Shortest wait after an edge, longest, and how it is widened by a refusal.
  private static let latenesses: ClosedRange<Seconds> = 0.02...2

  /// - Parameters:
  ///   - reading: the first that counts this limit.
  ///   - learned: what an earlier run knew of it.
  init(
    _ reading: RateLimitReading, allowance: Allowance, learned: LearnedLimits.Limit?, reserve: PacerSettings.Reserve,
    _ reply: ReceivedReply
  ) {
    let (flight, now) = (reply.flight, reply.now)
    let period = allowance.period
    let claim =
      reading.reset.map { reset in
        WindowEdge.claim(
          reset: min(reset, period + 1), date: reading.date, period: period, sentAt: flight.sentAt, receivedAt: now,
          clock: reply.clock, aligned: learned?.isAligned == true)
      } ?? Interval(low: flight.sentAt, high: now + period)
    // Ours are all that were answered since the window began, with or without a word of it, and those in flight.
    let own = max(1, reply.log.count(after: claim.middle - period)) + reply.others.count
    let latest = reading.period == nil ? claim.high : max(claim.low, min(claim.high, now + period))
    self.reserve = reserve
    self.period = period
    edge = WindowEdge(
      end: Interval(low: claim.low, high: latest), aligned: learned?.isAligned == true ? true : nil)
    budget = WindowBudget(
      limit: allowance.count, remaining: reading.remaining ?? 0, own: own, by: flight, at: now)
    startedAt = latest - period
    others = Neighbours(
      taken: Double(budget.takenByOthers), elapsed: now - startedAt, history: learned?.takenByOthers ?? [], at: now)
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

  /// A reply that counts this limit.
  mutating func observe(_ reading: RateLimitReading, _ reply: ReceivedReply) -> Successor? {
    let (flight, now) = (reply.flight, reply.now)
    guard let remaining = reading.remaining else { return nil }
    // Without a Limit field the largest count seen is the best guess.
    budget.change(limit: reading.limit ?? max(budget.limit, remaining), remaining: remaining, by: flight)
    guard let reset = reading.reset.map({ min($0, period + 1) }) else {
      observeWithoutReset(remaining, reply)
      return nil
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
      return nil
    case .moving:
      return .sliding(remaining: remaining)
    case .replaced:
      budget.replace(
        remaining: flight.sentAt < over.high ? min(budget.remaining, remaining) : remaining, by: flight, at: now)
      return nil
    case .later(let count):
      begin(at: over.low + Double(count - 1) * period, remaining: remaining, reply)
      if reading.period != nil { edge.begun(by: now, period: period) }
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
        end: over.high, now: now)
      if budget.isLagging && !lagged { others.forget(taken: budget.takenByOthers) }
    }
    others.observe(taken: takenByOthers, most: budget.mostForOthers, period: period, now: now)
    return nil
  }

  /// Counts without an end: the count that rises after the window's supposed end is the next window's.
  private mutating func observeWithoutReset(_ remaining: Int, _ reply: ReceivedReply) {
    if reply.flight.sentAt > edge.end.high && remaining > budget.remaining {
      advance(reply, remaining: remaining)
    } else if holds(reply.flight) {
      budget.read(
        min(remaining, budget.remaining), flight: reply.flight, inFlight: reply.others.count,
        throttled: reply.isThrottled, startedAt: startedAt, end: edge.end.high, now: reply.now)
    }
  }

  /// A reply that says nothing of this limit.
  mutating func observeSilence(_ reply: ReceivedReply) {
    guard reply.kind != .throttled, reply.kind != .refused else { return }
    if reply.flight.sentAt > edge.end.high {
      // It passed after the window's end, so a new window has begun, untouched as far as is known.
      advance(reply, remaining: budget.limit - 1)
    } else {
      budget.countUnread(reply.flight)
      // A doubt that was not answered is still one.
      if reply.flight.isProbe { doubts = max(0, doubts - 1) }
    }
  }

  private mutating func advance(_ reply: ReceivedReply, remaining: Int) {
    let count = max(1, Int(clamping: min(((reply.flight.sentAt - edge.end.high) / period).rounded(.up), 1e9)))
    let start = edge.end.low + Double(count - 1) * period
    edge.advance(windows: count, period: period)
    begin(at: start, remaining: remaining, reply)
  }

  private mutating func begin(at start: Seconds, remaining: Int, _ reply: ReceivedReply) {
    // What was doubted to the end, or seen in one look only, says nothing of others unless a refusal confirmed it.
    let wasSeenOnce = others.leap > 0.1 * Double(budget.limit) && budget.own <= 2
    let isDoubtful = (doubts > 0 || wasSeenOnce) && !budget.isConfirmedEmpty
    windows += 1
    startedAt = start
    doubts = 0
    lateness = max(Self.latenesses.lowerBound, lateness * 0.93)
    shift = reply.chance
    let elapsed = reply.now - start
    let usual = Int(clamping: others.worst)
    let own = 1 + reply.others.count { $0.sentAt >= start }
    budget.renew(remaining: remaining, own: own, usualForOthers: usual, by: reply.flight, at: reply.now)
    let still = edge.isAligned == true ? 0 : max(0, reply.log.count(after: reply.now - period) - own)
    // A few at most: more are rather an old count from a replica that is behind, which must be doubted.
    carried = min(still, budget.takenByOthers, 1 + budget.limit / 20)
    others.beginWindow(
      taken: takenByOthers, limit: budget.limit, elapsed: elapsed, recording: windows > 1 && !isDoubtful,
      now: reply.now)
  }

  private var takenByOthers: Int { max(0, budget.takenByOthers - carried) }

  // MARK: What was refused

  /// A 429. `wait` is its Retry-After, capped.
  mutating func refuse(_ reading: RateLimitReading?, wait: Seconds?, _ reply: ReceivedReply) -> Refusal {
    let (flight, now) = (reply.flight, reply.now)
    guard holds(flight) else { return .ignored }
    if let left = reading?.remaining {
      if left > 0 && wait == nil { return .elsewhere }
    }
    let isSurprise = budget.remaining - reply.others.count > 2
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
    } else if edge.isAligned != true, let reset = reading?.reset, now + reset + 2 < end {
      until = now + reset
    } else if edge.isAligned != true, isSurprise {
      // The windows may be none: asking is cheap, a window is not.
      until = min(end, now + max(1, period / 20))
    } else if end > now {
      until = end
    } else if reading?.reset != nil {
      until = now + max(0.25, min(1, 0.25 * Double(refusedProbes)))
    } else {
      until = now + min(30, Double(1 << min(refusedProbes, 5)))
    }
    return .closed(until: until + lateness + shift * 0.05)
  }

  mutating func succeeded(_ reply: ReceivedReply) -> Successor? {
    refusedProbes = 0
    return nil
  }

  mutating func lengthen(to period: Seconds) { self.period = period }

  mutating func apply(_ reserve: PacerSettings.Reserve) { self.reserve = reserve }

  // MARK: What it tells

  func available(_ ask: Ask) -> Int { max(0, budget.available(inFlight: ask.inFlight)) }

  func reserved(_ ask: Ask) -> Int { min(available(ask), kept(ask)) }

  func resetsIn(_ ask: Ask) -> Seconds { max(0, edge.end.middle - ask.now) }

  func supply(_ ask: Ask) -> Supply? {
    // What is left to nobody in particular is released in the course of the window.
    let kept = others.isQuiet(allowance) ? withheld : reserved(ask)
    return Supply(
      now: Double(max(0, available(ask) - kept)), wait: resetsIn(ask),
      tokens: allowance.tokens - max(Double(withheld), others.expected), period: period)
  }

  func learned(name: String?) -> LearnedLimits.Limit? {
    .init(name: name, allowance: allowance, isAligned: edge.isAligned, takenByOthers: others.history)
  }
}
