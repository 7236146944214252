// Finding a limit about which nothing is known: no headers, no text. Requests go until one is refused; then single
// probes find the moment at which the quota is back. Two such moments give the period, and the requests that passed
// between them the limit. Quota that is back at once, twice, refills all the time.
//
// The probes go where quota may come back: just after multiples of usual periods on the server's clock, and a usual
// period after the first request. A worked example, 100 in 10 s from a first request at 3 s on, refused at 4.2 s: probes
// at 5.3 and 10.6 s are refused, and one at 13.1 s passes. That is 10 s after the first request, so it may be a log or a
// window that began with that request: 100 in 10 s are obeyed, and believed when the 101st passes. Had the probe at 10.6 s
// passed, a second search would ask at 15.6, 20.6 and 20.7 s: windows of 10 s that are aligned to the calendar let the
// second of these pass, and those that begin with a request only the third.
//
// A refusal may be odd, and its Retry-After the only sign of a period. One with 60 s as the 30th reply looks like 29 in
// 60 s. So once 29 have passed, the next request goes at once as a test. If it passes, the period is dropped; if not, it
// is obeyed.

struct SearchedLimit: LimitModel {
  private let startedAt: Seconds
  private var passed = 0
  private var firstCount: Int?
  private var count: Int?
  /// The last moments at which quota came back.
  private var returns: [QuotaReturn] = []
  private var refusedAt: Seconds = -.infinity
  private var lastRefused: Seconds?
  /// From when on the next probe may go.
  private var probesFrom: Seconds = -.infinity
  private var refusals = 0
  /// When the first of them was sent.
  private var emptyFrom: Seconds = -.infinity
  /// Whether the next probe goes when a Retry-After says.
  private var waited = false
  private var quickReturns = 0
  /// What the first return looks like. It is obeyed from then on, and proven once more has passed than it grants in one
  /// period; a refusal before that disproves it.
  private var suspected: Allowance?
  /// Whether only a Retry-After named the period of the suspicion, and no request has tested it yet.
  private var isHearsay = false
  private var drought = Drought()
  private var candidates = Self.periods
  private var lastSentAt: Seconds?
  /// The longest time since the last edge in which requests could go and none went.
  private var idle: Seconds = 0

  /// Periods that limits have, in seconds.
  static let periods = [5, 10, 15, 20, 30, 60, 120, 300, 600, 900, 1_800, 3_600]
  /// The longest period that is believed without a word from the server: each wait may be as long.
  static let longestPeriod: Seconds = 3_600
  /// Those that are tried again after all were excluded, and after the first request.
  private static let periodsTriedAgain = [10, 60, 300]
  /// Seconds after a calendar multiple at which a probe asks whether a window began there.
  private static let lateness: Seconds = 0.6  // S33
  /// Requests in flight before the limit was first reached: two at the start, because a tiny limit must not cost more
  /// refusals; one more for each ten that passed, up to five; from a hundred on one for each twenty, up to ten.
  private static let inFlightFewest = 2
  private static let passedForOneMore = 10
  private static let inFlightAtFirst = 5  // S32, S33, S34, T14
  private static let passedForEach = 20  // S02
  private static let inFlightMost = 10
  /// Requests in flight after it was reached, and one more for each of these seconds without a refusal.
  private static let inFlightLater = 4  // S32, S34, T14
  private static let secondsForOneMore: Seconds = 5  // S03, S31, S33, T14
  private static let inFlightAtMost = 1e6
  /// This many requests before and after the count at which the first window was used up, they go one by one.
  private static let approach = 10  // S31, S32, S33
  /// Quota that is back within these seconds came back at once, …
  private static let atOnce: Seconds = 2.5
  /// … and if it does so as often, it refills all the time.
  private static let quickReturnsBelieved = 2  // S32, S34
  /// A period shorter than this share of a drought is not real.
  private static let shareOfDrought = 0.5  // T14
  /// Where nothing was sent for this share of the time between two edges, windows may have passed unseen in it.
  private static let idleShare = 0.5
  /// Seconds before the first probe, and the longest time between two; later this share of the time since the refusal.
  private static let firstProbe: Seconds = 1  // S34
  private static let longestProbe: Seconds = 30  // S31, S33
  private static let growth = 0.1
  /// The wait for a probe doubles so often at most while the server's clock is not known.
  private static let doublings = 5
  /// After so many refusals a probe was aimed at a calendar multiple, so its refusal excludes periods.
  private static let unaimed = 2
  /// Seconds after what Retry-After says, and the increase for each probe that was refused then.
  private static let settle: Seconds = 0.05  // T14
  private static let settleLonger: Seconds = 0.2  // T14
  /// Seconds added so that a slot is certainly free on waking.
  private static let hair: Seconds = 0.001
  /// Seconds by which a Retry-After may have been rounded up.
  private static let rounding: Seconds = 1

  init(now: Seconds) { startedAt = now }

  var source: LimitStanding.Source { .none }

  /// Seconds from what Retry-After says to the probe.
  private var settling: Seconds { Self.settle + Self.settleLonger * Double(max(0, refusals - 1)) }

  /// Maximum requests in flight: a server that shows nothing must not be flooded, and everything in flight when the
  /// limit is reached is refused. More after a longer time without refusals.
  func ceiling(now: Seconds) -> Int? {
    // While a Retry-After is obeyed, nothing passes that could show more to be right.
    let since = max(startedAt, refusedAt, waited ? probesFrom : -.infinity)
    let more = min(Self.inFlightAtMost, (now - since) / Self.secondsForOneMore)
    let atFirst = min(
      Self.inFlightFewest + passed / Self.passedForOneMore,
      min(max(Self.inFlightAtFirst, passed / Self.passedForEach), Self.inFlightMost))
    return max(firstCount == nil ? atFirst : Self.inFlightLater, Int(clamping: more))
  }

  func turn(_ ask: Ask) -> Turn {
    // Near the count at which the first window was used up, one by one: each further request in flight would be
    // refused. Once more have passed, it was not one window that was used up.
    if let firstCount, abs(passed - firstCount) <= Self.approach, ask.inFlight > 0 { return .reply }
    if let suspected {
      let horizon = ask.now - suspected.period - Self.settle
      if ask.log.count(after: horizon) + ask.inFlight >= suspected.count {
        if isHearsay { return ask.inFlight > 0 ? .reply : .probe }
        return ask.log.first(after: horizon).map { .wait(until: $0 + ask.now - horizon + Self.hair) } ?? .reply
      }
    }
    return .go
  }

  mutating func sent(_ flight: Flight) {
    if !flight.isProbe, let lastSentAt { idle = max(idle, flight.sentAt - lastSentAt) }
    lastSentAt = flight.sentAt
  }

  mutating func succeeded(_ reply: ReceivedReply) -> Successor? {
    passed += 1
    defer { if reply.flight.isProbe || reply.flight.sentAt > refusedAt { refusals = 0 } }
    if let suspected, passed > suspected.count {
      // The test of a hearsay passed though its period is not over.
      guard isHearsay, reply.flight.isProbe else { return .counted(suspected, edge: nil) }
      self.suspected = nil
      returns.removeAll()
    }
    guard reply.flight.isProbe, let lost = lastRefused else { return nil }
    // Retry-After is in whole seconds, rounded up.
    let earliest = waited ? max(lost, probesFrom - Self.rounding - settling) : lost
    let back = Interval(low: min(earliest, reply.flight.sentAt), high: reply.flight.sentAt)
    lastRefused = nil
    suspected = suspicion(reply)
    isHearsay = waited && suspected != nil
    if back.high - refusedAt < Self.atOnce {
      quickReturns += 1
      if quickReturns >= Self.quickReturnsBelieved { return .paced }
    }
    // Where the probe itself had to wait, nobody knows when the quota came back.
    let isKnown = back.high - probesFrom < Self.longestProbe
    if let previous = returns.last, !isKnown || !follows(back.high, previous.between.high) { returns.removeAll() }
    idle = 0
    passed = 1
    guard isKnown else { return nil }
    returns.append(QuotaReturn(between: back, answeredAt: reply.now))
    guard returns.count >= 2, let count else { return nil }
    let (last, previous) = (returns[returns.count - 1], returns[returns.count - 2])
    let period = previous.period(to: last, reply.clock)
    // Back long before a window can have ended: it comes back bit by bit.
    if period < Self.shareOfDrought * drought.longest { return .paced }
    return .counted(
      Allowance(count: count, period: period), edge: previous.calendarEdge(to: last, period, reply.clock))
  }

  /// A log, or a window that began with the first request: the first return came just one usual period after it.
  private func suspicion(_ reply: ReceivedReply) -> Allowance? {
    guard returns.isEmpty, passed > 1, !waited || refusals == 1, let first = reply.log.first(after: startedAt) else {
      return nil
    }
    let since = reply.flight.sentAt - first
    let late = waited ? Self.rounding + Self.settleLonger : Self.settleLonger
    let fitting = Self.periods.map(Double.init).filter { (since - late...since + Self.settleLonger).contains($0) }
    return fitting.count == 1 ? Allowance(count: passed - 1, period: fitting[0]) : nil
  }

  /// Whether a window that began at `edge` may be the next after the one that began at `previous`.
  private func follows(_ edge: Seconds, _ previous: Seconds) -> Bool {
    let longest = Self.longestPeriod + QuotaReturn.tolerance + (waited ? Self.rounding + settling : 0)
    return edge - previous <= longest && idle <= Self.idleShare * (edge - previous)
  }

  mutating func refuse(_ reading: RateLimitReading?, wait: Seconds?, _ reply: ReceivedReply) -> Refusal {
    let (flight, now) = (reply.flight, reply.now)
    guard flight.isProbe || flight.sentAt > refusedAt else {
      if let wait { drought.note(wait: wait, at: now) }
      return .ignored
    }
    if !flight.isProbe {
      refusedAt = now
      refusals = 0
      drought.begin()
      firstCount = firstCount ?? passed
      suspected = nil
      if !returns.isEmpty { count = max(1, passed) }
    }
    refusals += 1
    if flight.isProbe { isHearsay = false }
    if refusals == 1 { emptyFrom = flight.sentAt }
    lastRefused = flight.sentAt
    drought.note(flight.sentAt - refusedAt)
    probesFrom = nextProbe(wait: wait, reply)
    return .closed(until: probesFrom)
  }

  /// When to probe next.
  private mutating func nextProbe(wait: Seconds?, _ reply: ReceivedReply) -> Seconds {
    let (flight, now) = (reply.flight, reply.now)
    waited = wait != nil
    if let wait {
      drought.note(wait: wait, at: now)
      return now + wait + settling
    }
    if refusals == 1 { return now + Self.firstProbe }
    guard let server = reply.clock.epoch(at: now), let asked = reply.clock.epoch(at: flight.sentAt) else {
      return now + min(Self.longestProbe, Double(1 << min(refusals, Self.doublings)))
    }
    if refusals > Self.unaimed {
      // Refused just after a multiple: no window of that period, or of its divisors, began there.
      let multiple = Int(clamping: (asked - Self.lateness).rounded())
      candidates.removeAll { multiple % $0 == 0 }
      if candidates.isEmpty { candidates = Self.periodsTriedAgain }
    }
    let next = candidates.map { (Int(clamping: server) / $0 + 1) * $0 }.min().map(Double.init) ?? .infinity
    let begun = returns.last?.answeredAt ?? reply.log.first(after: startedAt) ?? startedAt
    let usual = returns.isEmpty ? Self.periodsTriedAgain : Self.periods
    let period = usual.map(Double.init).first { $0 > max(now - begun, drought.longest) } ?? .infinity
    let longest = max(Self.longestProbe, Self.growth * (now - emptyFrom))
    return min(now + longest, now + next - server + Self.lateness, begun + period + Self.settle)
  }
}
