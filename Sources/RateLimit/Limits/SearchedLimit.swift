// Finding a limit about which nothing is known: no headers, no text. Requests go until one is refused; then single
// probes find the moment at which the quota is back. Two such moments give the period, and the requests that passed
// between them the limit. Quota that is back at once, twice, refills all the time.

struct SearchedLimit: LimitModel {
  private let startedAt: Seconds
  private var passed = 0
  private var firstCount: Int?
  private var count: Int?
  private var edges: [(at: Seconds, between: Interval)] = []
  private var refusedAt: Seconds = -.infinity
  private var lastRefused: Seconds?
  /// From when on the next probe may go.
  private var probesFrom: Seconds = -.infinity
  private var refusals = 0
  private var quickReturns = 0
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
  /// Those that are tried again after all were excluded.
  private static let periodsTriedAgain = [10, 60, 300]
  /// Seconds after a calendar multiple at which a probe asks whether a window began there.
  private static let lateness: Seconds = 0.6  // S33
  /// Requests in flight before the limit was first reached, and after; one more for each of these seconds without a
  /// refusal.
  private static let inFlightAtFirst = 8  // S32, S33, S34, T14
  private static let inFlightLater = 4  // S32, S34, T14
  private static let secondsForOneMore: Seconds = 5  // S03, S31, S33, T14
  private static let inFlightAtMost = 1e6
  /// This many requests before the count at which the first window was used up, they go one by one.
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
  /// Seconds before the first probe, and the longest time between two.
  private static let firstProbe: Seconds = 1  // S34
  private static let longestProbe: Seconds = 30  // S31, S33
  /// The wait for a probe doubles so often at most while the server's clock is not known.
  private static let doublings = 5
  /// After so many refusals a probe was aimed at a calendar multiple, so its refusal excludes periods.
  private static let unaimed = 2
  /// Seconds after what Retry-After says, and the increase for each probe that was refused then.
  private static let settle: Seconds = 0.05  // T14
  private static let settleLonger: Seconds = 0.2  // T14

  init(now: Seconds) { startedAt = now }

  var source: LimitStanding.Source { .none }

  /// Maximum requests in flight: a server that shows nothing must not be flooded, and everything in flight when the
  /// limit is reached is refused. More after a longer time without refusals.
  func ceiling(now: Seconds) -> Int? {
    let more = min(Self.inFlightAtMost, (now - max(startedAt, refusedAt)) / Self.secondsForOneMore)
    return max(firstCount == nil ? Self.inFlightAtFirst : Self.inFlightLater, Int(clamping: more))
  }

  func turn(_ ask: Ask) -> Turn {
    // Near the count at which the first window was used up, one by one: each further request in flight would be
    // refused.
    if let firstCount, passed >= firstCount - Self.approach, ask.inFlight > 0 { return .reply }
    return .go
  }

  mutating func sent(_ flight: Flight) {
    if !flight.isProbe, let lastSentAt { idle = max(idle, flight.sentAt - lastSentAt) }
    lastSentAt = flight.sentAt
  }

  mutating func succeeded(_ reply: ReceivedReply) -> Successor? {
    passed += 1
    refusals = 0
    guard reply.flight.isProbe, let lost = lastRefused else { return nil }
    let back = Interval(low: lost, high: reply.flight.sentAt)
    lastRefused = nil
    if back.high - refusedAt < Self.atOnce {
      quickReturns += 1
      if quickReturns >= Self.quickReturnsBelieved { return .paced }
    }
    let edge = calendarEdge(in: back, reply.clock) ?? back.high
    // Where the probe itself had to wait, nobody knows when the quota came back.
    let isKnown = back.high - probesFrom < Self.longestProbe
    if let previous = edges.last, !isKnown || !follows(edge, previous.at) { edges.removeAll() }
    idle = 0
    passed = 1
    guard isKnown else { return nil }
    edges.append((edge, back))
    guard edges.count >= 2, let count else { return nil }
    let (last, previous) = (edges[edges.count - 1], edges[edges.count - 2])
    let period = period(
      between: last.at - previous.at,
      bounds: last.between.low - previous.between.high...last.between.high - previous.between.low)
    // Back long before a window can have ended: it comes back bit by bit.
    if period < Self.shareOfDrought * drought { return .paced }
    return .counted(Allowance(count: count, period: period), edge: last.at)
  }

  /// Whether a window that began at `edge` may be the next after the one that began at `previous`.
  private func follows(_ edge: Seconds, _ previous: Seconds) -> Bool {
    let distance = edge - previous
    return distance <= Self.longestPeriod + Self.tolerance && idle <= Self.idleShare * distance
  }

  private func period(between distance: Seconds, bounds: ClosedRange<Seconds>) -> Seconds {
    let fitting = Self.periods.map(Double.init).filter {
      (bounds.lowerBound - Self.tolerance...bounds.upperBound + Self.tolerance).contains($0)
    }
    return fitting.min { abs($0 - distance) < abs($1 - distance) } ?? distance
  }

  /// The multiple of the longest usual period in the interval; documented windows are aligned to the calendar.
  private func calendarEdge(in interval: Interval, _ clock: ServerClock) -> Seconds? {
    guard let end = clock.epoch(at: interval.high), let zero = clock.epoch(at: 0) else { return nil }
    return Self.periods.reversed().lazy.map { (end / Double($0)).rounded(.down) * Double($0) - zero }.first {
      $0 > interval.low && $0 <= interval.high
    }
  }

  mutating func refuse(_ reading: RateLimitReading?, wait: Seconds?, _ reply: ReceivedReply) -> Refusal {
    let (flight, now) = (reply.flight, reply.now)
    guard flight.isProbe || flight.sentAt > refusedAt else { return .ignored }
    if !flight.isProbe {
      refusedAt = now
      refusals = 0
      firstCount = firstCount ?? passed
      if !edges.isEmpty { count = max(1, passed) }
    }
    refusals += 1
    lastRefused = flight.sentAt
    drought = max(drought, flight.sentAt - refusedAt)
    probesFrom = nextProbe(wait: wait, reply)
    return .closed(until: probesFrom)
  }

  /// When to probe next.
  private mutating func nextProbe(wait: Seconds?, _ reply: ReceivedReply) -> Seconds {
    let (flight, now) = (reply.flight, reply.now)
    if let wait { return now + wait + Self.settle + Self.settleLonger * Double(refusals - 1) }
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
    return now + min(Self.longestProbe, next - server + Self.lateness)
  }
}
