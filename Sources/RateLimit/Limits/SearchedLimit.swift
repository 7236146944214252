// Finding a limit of which nothing is known: no headers, no text. Requests go until one is refused; then single probes ask
// for the moment at which the quota is back. Two such moments give the period, the requests passed between them the limit.
// Quota that is back at once, twice, means that it refills all the time.

struct SearchedLimit: LimitModel {
  private let startedAt: Seconds
  private var passed = 0
  private var firstCount: Int?
  private var count: Int?
  private var edges: [(at: Seconds, between: Interval)] = []
  private var refusedAt: Seconds = -.infinity
  private var lastRefused: Seconds?
  private var refusals = 0
  private var quickReturns = 0
  /// The longest that the quota is known to have been away: no window is shorter.
  private var drought: Seconds = 0
  private var candidates = Self.periods

  /// Periods that limits have, in seconds.
  private static let periods = [5, 10, 15, 20, 30, 60, 120, 300, 600, 900, 1_800, 3_600]
  /// Those that are tried once more when each was excluded.
  private static let periodsTriedAgain = [10, 60, 300]
  /// Seconds after a calendar multiple at which a probe asks whether a window began there.
  private static let lateness: Seconds = 0.6  // S33
  /// Requests in flight before the limit was first met, and after it; one more for each of these seconds without a refusal.
  private static let inFlightAtFirst = 8  // S32, S33, S34, T14
  private static let inFlightLater = 4  // S32, S34, T14
  private static let secondsForOneMore: Seconds = 5  // S03, S31, S33, T14
  private static let inFlightAtMost = 1e6
  /// So many requests before the count at which the first window was used up, they go one by one.
  private static let approach = 10  // S31, S32, S33
  /// Quota that is back within these seconds came back at once, …
  private static let atOnce: Seconds = 2.5
  /// … and if it does so as often, it refills all the time.
  private static let quickReturnsBelieved = 2  // S32, S34
  /// A period shorter than this share of a drought is none.
  private static let shareOfDrought = 0.5  // T14
  /// Seconds by which the moments at which quota came back may be off.
  private static let tolerance: Seconds = 0.5
  /// Seconds before the first probe, and between two at most.
  private static let firstProbe: Seconds = 1  // S34
  private static let longestProbe: Seconds = 30  // S31, S33
  /// Seconds after what Retry-After says, and as much more for each probe that was refused then.
  private static let settle: Seconds = 0.05  // T14
  private static let settleLonger: Seconds = 0.2  // T14

  init(now: Seconds) { startedAt = now }

  var source: Standing.Source { .none }

  /// Requests in flight at most: a server that shows nothing is not stormed, and all that is under way when the limit is
  /// met is refused. More the longer nothing is.
  func ceiling(now: Seconds) -> Int? {
    let more = min(Self.inFlightAtMost, (now - max(startedAt, refusedAt)) / Self.secondsForOneMore)
    return max(firstCount == nil ? Self.inFlightAtFirst : Self.inFlightLater, Int(clamping: more))
  }

  func turn(_ ask: Ask) -> Turn {
    // Near the count at which the first window was used up, one by one: each further request in flight is a refusal.
    if let firstCount, passed >= firstCount - Self.approach, ask.inFlight > 0 { return .reply }
    return .go
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
    edges.append((calendarEdge(in: back, reply.clock) ?? back.high, back))
    passed = 1
    guard edges.count >= 2, let count else { return nil }
    let (last, previous) = (edges[edges.count - 1], edges[edges.count - 2])
    let period = period(
      between: last.at - previous.at,
      bounds: last.between.low - previous.between.high...last.between.high - previous.between.low)
    // Back long before a window can have ended: it is given back bit by bit.
    if period < Self.shareOfDrought * drought { return .paced }
    return .counted(Allowance(count: count, period: period), edge: last.at)
  }

  private func period(between distance: Seconds, bounds: ClosedRange<Seconds>) -> Seconds {
    let fitting = Self.periods.map(Double.init).filter {
      (bounds.lowerBound - Self.tolerance...bounds.upperBound + Self.tolerance).contains($0)
    }
    return fitting.min { abs($0 - distance) < abs($1 - distance) } ?? distance
  }

  /// The multiple of the longest usual period in the interval, as windows are calendar aligned where they are documented.
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
    return .closed(until: nextProbe(wait: wait, reply))
  }

  /// When one asks again.
  private mutating func nextProbe(wait: Seconds?, _ reply: ReceivedReply) -> Seconds {
    let (flight, now) = (reply.flight, reply.now)
    if let wait { return now + wait + Self.settle + Self.settleLonger * Double(refusals - 1) }
    if refusals == 1 { return now + Self.firstProbe }
    guard let server = reply.clock.epoch(at: now), let asked = reply.clock.epoch(at: flight.sentAt) else {
      return now + min(Self.longestProbe, Double(1 << min(refusals, 5)))
    }
    if refusals > 2 {
      // Refused just after a multiple: no window of that period, or its divisors, began there.
      let multiple = Int(clamping: (asked - Self.lateness).rounded())
      candidates.removeAll { multiple % $0 == 0 }
      if candidates.isEmpty { candidates = Self.periodsTriedAgain }
    }
    let next = candidates.map { (Int(clamping: server) / $0 + 1) * $0 }.min().map(Double.init) ?? .infinity
    return now + min(Self.longestProbe, next - server + Self.lateness)
  }
}
