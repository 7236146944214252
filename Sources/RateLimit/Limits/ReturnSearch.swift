// When does what was used come back? Each look shows how much has come back since the last one. What comes back
// together, after a silence, is a window; two of them give the period. What comes back all the time is a refill.
//
// A worked example, 100 in windows of 10 s that begin at 6 s: 80 are spent at once, the rest goes as looks at 1.1, 1.6,
// 2.1, 2.6, 3.3, 4.1, 5.1 and 6.4 s. The last one shows that all came back between 5.1 and 6.4 s. As nothing had come
// back for 5.1 s, no period is shorter than that: the next looks are 10 and 15 s after 6.4 s. The first of them finds all
// back again, so the period is 10 s.

struct ReturnSearch: Sendable {
  enum Found: Hashable {
    case windows(period: Seconds)
    /// Requests a second.
    case refill(rate: Double)
  }

  /// When the first request of the present stock was sent.
  private var from: Seconds
  private let isFirst: Bool
  /// Since when nothing had come back at the last look that showed nothing, or at the last return.
  private var silentFrom: Seconds
  private var lastLook: Seconds
  /// The last moment at which much came back together.
  private var edge: Interval?
  /// The longest time in which nothing came back although something was used: no period is shorter.
  private var silence: Seconds = 0
  /// What came back bit by bit since something came back together: when the last three parts were seen and how much
  /// each was, and the sum of all.
  private var parts: [(at: Seconds, count: Int)] = []
  private var inParts = 0

  /// Seconds before the first look, and at most between two.
  private static let first: Seconds = 0.5
  private static let longest: Seconds = 86_400
  /// Each look comes later by this share of the time since the stock was new; by more if it is likely to be refused.
  private static let growth = 0.25
  private static let growthRefused = 1.0
  /// The same in the second window, where looks at usual periods are enough for most.
  private static let growthOfSecond = 0.5
  /// This share of what was used comes back together only with a new window.
  private static let together = 0.4
  /// Tokens that a refill would have brought in the silence before.
  private static let missed = 1.5
  /// What comes back within this share of the longest silence after a window began belongs to the same window: much of
  /// it, or a part.
  private static let sameWindow = 0.9
  private static let afterEdge = 0.1
  /// What comes back within this share of the silence before it comes back together.
  private static let rushShare = 0.25
  /// A refill brings at most this many limits in the longest silence.
  private static let refilledAtMost = 2.0
  /// Parts that are seen within these seconds are one.
  private static let apart: Seconds = 0.25
  /// The factor by which rates of the same refill may differ.
  private static let alike = 3.0
  /// Seconds after a likely moment at which to look.
  private static let settle: Seconds = 0.05

  /// What came back after a silence.
  private struct Rush {
    /// When it began.
    var from: Interval
    /// Seconds in which nothing had come back before.
    var quiet: Seconds
    /// What was missing before.
    var used: Int
    var returned: Int

    func adding(_ more: Int) -> Rush { Rush(from: from, quiet: quiet, used: used, returned: returned + more) }
  }

  private var rush: Rush?
  /// Whether two edges have already fitted several usual periods.
  private var isAmbiguous = false

  /// - Parameter isFirst: Whether nothing has been learned before and found wrong.
  init(from: Seconds, isFirst: Bool) {
    self.from = from
    self.isFirst = isFirst
    silentFrom = from
    lastLook = from
  }

  /// When the next look goes.
  ///
  /// - Parameters:
  ///   - last: When the last request was sent.
  ///   - isFree: Whether something is left, so that it will not be refused.
  func nextLook(after last: Seconds, isFree: Bool, clock: ServerClock) -> Seconds {
    min(last + Self.longest, telling(after: last, isFree: isFree, clock: clock))
  }

  private func telling(after last: Seconds, isFree: Bool, clock: ServerClock) -> Seconds {
    let growth = isFree ? Self.growth : Self.growthRefused
    var step = max(Self.first, growth * (last - from))
    // A part came back, and more may follow at once.
    if silentFrom > from { step = min(step, max(Self.first, last - silentFrom)) }
    if let edge {
      let earliest = max(last + Self.settle - edge.high, silence)
      let usual = edge.high + (UsualPeriod.after(earliest) ?? earliest + step)
      let between = silentFrom > from ? step : max(Self.first, Self.growthOfSecond * (last - edge.high))
      return isFree ? min(usual, last + between) : usual
    }
    // Where a window would end that began with the first request, and at edges of the calendar: midnight says more than
    // noon.
    let sinceFirst = UsualPeriod.after(last + Self.settle - from).map { from + $0 + Self.settle }
    let onCalendar = clock.epoch(at: last + step / 2)
      .flatMap { UsualPeriod.edge(between: $0, and: $0 + step / 2) }
      .flatMap { clock.instant(ofEpoch: $0) }
      .map { $0.high + Self.settle }
    return min(last + step, sinceFirst ?? .infinity, onCalendar ?? .infinity)
  }

  /// A look found nothing new.
  mutating func nothing(at sentAt: Seconds) {
    lastLook = sentAt
    silence = max(silence, sentAt - from)
  }

  /// A look found that something had come back.
  ///
  /// - Parameters:
  ///   - used: What was missing before.
  ///   - count: The limit.
  mutating func found(_ returned: Int, of used: Int, limit count: Int, sentAt: Seconds, now: Seconds) -> Found? {
    let (since, quiet) = (lastLook, lastLook - silentFrom)
    lastLook = sentAt
    silentFrom = sentAt
    if let rush, now < rush.from.high + Self.rushShare * rush.quiet {
      self.rush = rush.adding(returned)
    } else {
      rush = Rush(from: Interval(low: since, high: now), quiet: quiet, used: used, returned: returned)
    }
    guard let rush else { return nil }
    let isTogether = rush.returned >= min(2, rush.used) && Double(rush.returned) >= Self.together * Double(rush.used)
    let rate = Double(returned - 1) / max(now - since, 0.001)
    let isWindow = isTogether || edge == nil && rate * quiet > Self.missed
    // A log gives back one by one what was sent in a rush.
    if let edge, now < edge.high + (isWindow ? Self.sameWindow : Self.afterEdge) * silence { return nil }
    guard isWindow else { return part(returned, of: count, at: now) }
    parts.removeAll()
    inParts = 0
    defer {
      from = sentAt
      edge = rush.from
    }
    guard let edge else {
      // A log, or a window that began with the first request: if no window of that kind fits, only a second one shows
      // the period.
      let fitting = UsualPeriod.fitting(rush.from.low - from, rush.from.high - from)
      return isFirst && fitting.count == 1 ? .windows(period: fitting[0]) : nil
    }
    let (low, high) = (max(silence, rush.from.low - edge.high), rush.from.high - edge.low)
    // Where several periods fit, the next edge may tell: it will be seen more exactly.
    guard isAmbiguous || UsualPeriod.fitting(low, high).count <= 1 else {
      isAmbiguous = true
      return nil
    }
    return .windows(period: UsualPeriod.between(low, high))
  }

  /// Three parts at about the same rate are a refill.
  private mutating func part(_ returned: Int, of count: Int, at now: Seconds) -> Found? {
    inParts += returned
    if let last = parts.last, now - last.at < Self.apart {
      parts[parts.count - 1].count += returned
      return nil
    }
    parts = parts.suffix(2) + [(now, returned)]
    guard parts.count == 3 else { return nil }
    let rates = (1...2).map { Double(parts[$0].count) / (parts[$0].at - parts[$0 - 1].at) }
    guard max(rates[0], rates[1]) <= Self.alike * min(rates[0], rates[1]) else { return nil }
    let rate = Double(parts[1].count + parts[2].count) / (parts[2].at - parts[0].at)
    guard rate * silence <= Self.refilledAtMost * Double(count) else { return nil }
    // After a silence it may be a log that gives back the looks, one by one.
    guard edge == nil || Double(inParts) >= Self.together * Double(count) else { return nil }
    return .refill(rate: rate)
  }
}
