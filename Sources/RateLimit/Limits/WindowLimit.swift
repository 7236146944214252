// A limit whose count restarts at the end of each window, described by headers: the documented kind, and the one in all
// recorded replies. WindowPace.swift decides when a request may go in it.

struct WindowLimit: LimitModel {
  private(set) var period: Seconds
  private(set) var edge: WindowEdge
  private(set) var budget: WindowBudget
  private(set) var others: Neighbours
  private(set) var startedAt: Seconds
  /// Windows begun since the first, which was seen only in part.
  private(set) var windows = 0
  private var restoring = WindowLateness()
  /// Our requests of the last window that a first look at this one may have counted: there may be no windows.
  private var carried = 0
  private(set) var doubts = 0
  /// A fraction of the jitter after the edge, drawn once a window.
  private(set) var shift = 0.5
  private var reserve: PacerSettings.Reserve

  var allowance: Allowance { Allowance(count: budget.limit, period: period) }
  var granted: Allowance? { allowance }
  var source: LimitStanding.Source { .headers }
  /// Requests of each window that the operator leaves to others.
  var withheld: Int { reserve.withheld(of: budget.limit) }
  /// Seconds to wait after an edge.
  var lateness: Seconds { restoring.seconds }
  var refusedProbes: Int { restoring.refusedProbes }
  var isNearlyEmpty: Bool { isNearlyUsed(budget.remaining, of: budget.limit) }
  var yieldsToRefill: Bool { edge.isAligned != true }

  /// A share of the limit that others are unlikely to have taken between two looks.
  private static let leap = 0.1
  /// A window in which no more than this many requests were ours was seen only once.
  private static let ownLooks = 2
  /// This share of the limit, plus one, of our requests in the last window may still count in a new one.
  private static let carriedShare = 0.05

  /// - Parameters:
  ///   - reading: The first one for this limit.
  ///   - learned: What an earlier run knew about it.
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
    // Ours are all that were answered since the window began, whether or not the reply mentioned it, and those in
    // flight.
    let own = max(1, reply.log.count(after: claim.middle - period)) + reply.others.count
    let latest = reading.period == nil ? claim.high : max(claim.low, min(claim.high, now + period))
    self.reserve = reserve
    self.period = period
    edge = WindowEdge(end: Interval(low: claim.low, high: latest), aligned: learned?.isAligned == true ? true : nil)
    budget = WindowBudget(limit: allowance.count, remaining: reading.remaining ?? 0, own: own, by: flight, at: now)
    startedAt = latest - period
    others = Neighbours(
      taken: Double(budget.takenByOthers), of: budget.limit, elapsed: now - startedAt,
      history: learned?.takenByOthers ?? [], at: now)
  }

  // MARK: What was sent

  mutating func sent(_ flight: Flight) {
    budget.sent()
    if flight.isProbe && flight.sentAt < edge.end.high { doubts += 1 }
  }

  /// Whether a request was sent in the known window.
  private func holds(_ flight: Flight) -> Bool { windows == 0 || flight.sentAt >= startedAt }

  mutating func giveBack(_ flight: Flight) { if holds(flight) { budget.giveBack() } }

  // MARK: What was answered

  /// A reply that counts against this limit.
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
    case .past, .ignored: return nil
    case .moving: return .sliding(remaining: remaining)
    case .replaced:
      budget.replace(
        remaining: flight.sentAt < over.high ? min(budget.remaining, remaining) : remaining, by: flight, at: now)
      return nil
    case .later(let count):
      begin(at: over.low + Double(count - 1) * period, remaining: remaining, reply)
      if reading.period != nil { edge.begun(by: now, period: period) }
    case .current: break
    }
    if case .current = placement {
      // A used-up window lets more pass after its end, and no other has begun: quota comes back bit by bit.
      if !reply.isThrottled, flight.sentAt > over.high, budget.own - reply.others.count > budget.limit,
        remaining > budget.remaining
      {
        return .sliding(remaining: remaining)
      }
      // Refused although something should have been left: others were faster than forecast.
      if reply.isThrottled && !flight.isProbe && remaining == 0 && budget.remaining > Self.unsurprising {
        others.beCautious()
      }
      let (lagged, before) = (budget.isLagging, budget.remaining)
      budget.read(
        remaining, flight: flight, inFlight: reply.others.count, throttled: reply.isThrottled, startedAt: startedAt,
        end: over.high, now: now)
      // What seemed taken was an old count, each time that a higher one is believed.
      if budget.isLagging && (!lagged || budget.remaining > before) { others.forget(taken: budget.takenByOthers) }
    }
    others.observe(taken: takenByOthers, most: budget.mostForOthers, period: period, now: now)
    return nil
  }

  /// Counts without an end: a count that rises after the window's expected end belongs to the next window.
  private mutating func observeWithoutReset(_ remaining: Int, _ reply: ReceivedReply) {
    if reply.flight.sentAt > edge.end.high && remaining > budget.remaining {
      advance(reply, remaining: remaining)
    } else if holds(reply.flight) {
      budget.read(
        min(remaining, budget.remaining), flight: reply.flight, inFlight: reply.others.count,
        throttled: reply.isThrottled, startedAt: startedAt, end: edge.end.high, now: reply.now)
    }
  }

  /// A reply that does not mention this limit.
  mutating func observeSilence(_ reply: ReceivedReply) {
    guard reply.kind != .throttled, reply.kind != .refused else { return }
    if reply.flight.sentAt > edge.end.high {
      // It passed after the window's end, so a new window has begun, untouched as far as is known.
      advance(reply, remaining: budget.limit - 1)
    } else {
      budget.countUnread(reply.flight)
      // A doubt without an answer remains.
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
    // A count doubted to the end, or seen only once, says nothing about others unless a refusal confirmed it.
    let wasSeenOnce = others.leap > Self.leap * Double(budget.limit) && budget.own <= Self.ownLooks
    let isDoubtful = (doubts > 0 || wasSeenOnce) && !budget.isConfirmedEmpty
    windows += 1
    startedAt = start
    doubts = 0
    restoring.windowBegan()
    shift = reply.chance
    let elapsed = reply.now - start
    let usual = Int(clamping: others.worst)
    let own = 1 + reply.others.count { $0.sentAt >= start }
    budget.renew(remaining: remaining, own: own, usualForOthers: usual, by: reply.flight, at: reply.now)
    let still = edge.isAligned == true ? 0 : max(0, reply.log.count(after: reply.now - period) - own)
    // Only a few: more of them are rather an old count from a replica that is behind, which must be doubted.
    carried = min(still, budget.takenByOthers, 1 + Int(clamping: Double(budget.limit) * Self.carriedShare))
    others.beginWindow(
      taken: takenByOthers, limit: budget.limit, elapsed: elapsed, recording: windows > 1 && !isDoubtful, now: reply.now
    )
  }

  private var takenByOthers: Int { max(0, budget.takenByOthers - carried) }

  // MARK: What was refused

  /// Tokens by which a count may be off for no particular reason.
  private static let unsurprising = 2

  mutating func refuse(_ reading: RateLimitReading?, wait: Seconds?, _ reply: ReceivedReply) -> Refusal {
    guard holds(reply.flight) else { return .ignored }
    if let left = reading?.remaining, left > 0, wait == nil { return .elsewhere }
    let isSurprise = budget.remaining - reply.others.count > Self.unsurprising
    budget.close()
    if reply.flight.isProbe { restoring.probeRefused() }
    let until = reopening(reading, wait: wait, isSurprise: isSurprise, now: reply.now)
    return .closed(until: until + lateness + shift * Self.scatter)
  }

  mutating func succeeded(_ reply: ReceivedReply) -> Successor? {
    restoring.succeeded()
    return nil
  }

  mutating func lengthen(to period: Seconds) { self.period = period }

  mutating func apply(_ reserve: PacerSettings.Reserve) { self.reserve = reserve }

  // MARK: Queries

  /// Once the window is over, nothing of the next is used as far as is known.
  func available(_ ask: Ask) -> Int {
    max(0, isOver(at: ask.now) ? budget.limit - ask.inFlight : budget.available(inFlight: ask.inFlight))
  }

  func own(_ ask: Ask) -> Int? { isOver(at: ask.now) ? ask.inFlight : budget.own }

  func reserved(_ ask: Ask) -> Int { min(available(ask), kept(ask)) }

  func resetsIn(_ ask: Ask) -> Seconds {
    let left = edge.end.middle - ask.now
    // Windows follow each other, seen or not.
    return isOver(at: ask.now) ? left + (-left / period).rounded(.up) * period : max(0, left)
  }

  func latest(_ ask: Ask) -> Seconds? { resetsIn(ask) }

  /// The window is over, and no reply has shown the next one.
  private func isOver(at now: Seconds) -> Bool { now > edge.end.high }

  func supply(_ ask: Ask) -> Supply? {
    // A reserve for nobody in particular is released in the course of the window.
    let kept = others.isQuiet(allowance) ? withheld : reserved(ask)
    return Supply(
      now: Double(max(0, available(ask) - kept)), wait: resetsIn(ask),
      tokens: allowance.tokens - max(Double(withheld), others.expected), period: period)
  }

  func learned(name: String?) -> LearnedLimits.Limit? {
    .init(
      name: name, allowance: allowance, isAligned: edge.isAligned, takenByOthers: others.history, edge: edge.end.middle)
  }
}
