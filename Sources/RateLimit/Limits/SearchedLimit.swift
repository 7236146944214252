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

struct SearchedLimit: LimitModel {
  /// A moment at which quota came back, shown by a probe that passed.
  private struct Return {
    /// After the last refused probe, at the latest when the one that passed was sent.
    var between: Interval
    /// When its reply came. A window or log that began with it gives nothing back until a whole period later.
    var answeredAt: Seconds
  }

  private let startedAt: Seconds
  private var passed = 0
  private var firstCount: Int?
  private var count: Int?
  /// The last moments at which quota came back.
  private var returns: [Return] = []
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
  /// The longest time for which the quota is known to have been away: no window is shorter.
  private var drought: Seconds = 0
  private var candidates = Self.periods
  private var lastSentAt: Seconds?
  /// The longest time since the last edge in which requests could go and none went.
  private var idle: Seconds = 0

  /// Periods that limits have, in seconds.
  private static let periods = [5, 10, 15, 20, 30, 60, 120, 300, 600, 900, 1_800, 3_600]
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
  /// Seconds by which the moments at which quota came back may be off.
  private static let tolerance: Seconds = 0.5
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
    let more = min(Self.inFlightAtMost, (now - max(startedAt, refusedAt)) / Self.secondsForOneMore)
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
    if let suspected, passed > suspected.count { return .counted(suspected, edge: nil) }
    guard reply.flight.isProbe, let lost = lastRefused else { return nil }
    // Retry-After is in whole seconds, rounded up.
    let earliest = waited ? max(lost, probesFrom - Self.rounding - settling) : lost
    let back = Interval(low: min(earliest, reply.flight.sentAt), high: reply.flight.sentAt)
    lastRefused = nil
    suspected = suspicion(reply)
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
    returns.append(Return(between: back, answeredAt: reply.now))
    guard returns.count >= 2, let count else { return nil }
    let (last, previous) = (returns[returns.count - 1], returns[returns.count - 2])
    let period = period(from: previous, to: last, reply.clock)
    // Back long before a window can have ended: it comes back bit by bit.
    if period < Self.shareOfDrought * drought { return .paced }
    return .counted(
      Allowance(count: count, period: period), edge: calendarEdge(from: previous, to: last, period, reply.clock))
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
    let longest = Self.longestPeriod + Self.tolerance + (waited ? Self.rounding + settling : 0)
    return edge - previous <= longest && idle <= Self.idleShare * (edge - previous)
  }

  /// The usual period that fits best. Returns at its calendar multiples fit better than what is a whole period apart.
  private func period(from previous: Return, to last: Return, _ clock: ServerClock) -> Seconds {
    let (first, second) = (previous.between, last.between)
    let distance = (multiple(in: second, clock) ?? second.high) - (multiple(in: first, clock) ?? first.high)
    let bounds = second.low - first.high - Self.tolerance...second.high - first.low + Self.tolerance
    let fitting = Self.periods.map(Double.init).filter { bounds.contains($0) }
    return fitting.min { abs($0 - distance) < abs($1 - distance) } ?? max(distance, second.high - first.high)
  }

  /// The start of the last window, if only windows that are aligned to the calendar explain both returns: the last one
  /// came less than a period after the request before it, and there are multiples of the period at both.
  private func calendarEdge(from previous: Return, to last: Return, _ period: Seconds, _ clock: ServerClock) -> Seconds?
  {
    guard last.between.high < previous.answeredAt + period,
      multiple(of: period, in: previous.between, clock) != nil
    else { return nil }
    return multiple(of: period, in: last.between, clock)
  }

  /// The multiple of the longest usual period in the interval; documented windows are aligned to the calendar.
  private func multiple(in interval: Interval, _ clock: ServerClock) -> Seconds? {
    Self.periods.reversed().lazy.compactMap { multiple(of: Double($0), in: interval, clock) }.first
  }

  /// The last multiple of a period on the server's clock in the interval.
  private func multiple(of period: Seconds, in interval: Interval, _ clock: ServerClock) -> Seconds? {
    guard let end = clock.epoch(at: interval.high), let zero = clock.epoch(at: 0) else { return nil }
    let instant = (end / period).rounded(.down) * period - zero
    return instant > interval.low && instant <= interval.high ? instant : nil
  }

  mutating func refuse(_ reading: RateLimitReading?, wait: Seconds?, _ reply: ReceivedReply) -> Refusal {
    let (flight, now) = (reply.flight, reply.now)
    guard flight.isProbe || flight.sentAt > refusedAt else { return .ignored }
    if !flight.isProbe {
      refusedAt = now
      refusals = 0
      firstCount = firstCount ?? passed
      suspected = nil
      if !returns.isEmpty { count = max(1, passed) }
    }
    refusals += 1
    if refusals == 1 { emptyFrom = flight.sentAt }
    lastRefused = flight.sentAt
    drought = max(drought, flight.sentAt - refusedAt)
    probesFrom = nextProbe(wait: wait, reply)
    return .closed(until: probesFrom)
  }

  /// When to probe next.
  private mutating func nextProbe(wait: Seconds?, _ reply: ReceivedReply) -> Seconds {
    let (flight, now) = (reply.flight, reply.now)
    waited = wait != nil
    if let wait {
      drought = max(drought, wait)
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
    let period = usual.map(Double.init).first { $0 > max(now - begun, drought) } ?? .infinity
    let longest = max(Self.longestProbe, Self.growth * (now - emptyFrom))
    return min(now + longest, now + next - server + Self.lateness, begun + period + Self.settle)
  }
}
