// A moment at which quota came back, shown by a probe that passed. Two of them give the period, and show whether windows are
// aligned to the calendar.

struct QuotaReturn: Sendable {
  /// After the last refused probe, at the latest when the one that passed was sent.
  var between: Interval
  /// When its reply came. A window or log that began with it gives nothing back until a whole period later.
  var answeredAt: Seconds

  /// Seconds by which the moments at which quota came back may be off.
  static let tolerance: Seconds = 0.5

  private static let periods = SearchedLimit.periods.map(Double.init)

  /// The usual period that fits best. Returns at its calendar multiples fit better than what is a whole period apart.
  func period(to last: QuotaReturn, _ clock: ServerClock) -> Seconds {
    let (first, second) = (between, last.between)
    let distance = (Self.multiple(in: second, clock) ?? second.high) - (Self.multiple(in: first, clock) ?? first.high)
    let bounds = second.low - first.high - Self.tolerance...second.high - first.low + Self.tolerance
    let fitting = Self.periods.filter { bounds.contains($0) }
    return fitting.min { abs($0 - distance) < abs($1 - distance) } ?? max(distance, second.high - first.high)
  }

  /// The start of the last window, if only windows that are aligned to the calendar explain both returns: the last one
  /// came less than a period after the request before it, and there are multiples of the period at both.
  func calendarEdge(to last: QuotaReturn, _ period: Seconds, _ clock: ServerClock) -> Seconds? {
    guard last.between.high < answeredAt + period, Self.multiple(of: period, in: between, clock) != nil else {
      return nil
    }
    return Self.multiple(of: period, in: last.between, clock)
  }

  /// The multiple of the longest usual period in the interval; documented windows are aligned to the calendar.
  private static func multiple(in interval: Interval, _ clock: ServerClock) -> Seconds? {
    periods.reversed().lazy.compactMap { multiple(of: $0, in: interval, clock) }.first
  }

  /// The last multiple of a period on the server's clock in the interval.
  private static func multiple(of period: Seconds, in interval: Interval, _ clock: ServerClock) -> Seconds? {
    guard let end = clock.epoch(at: interval.high), let zero = clock.epoch(at: 0) else { return nil }
    let instant = (end / period).rounded(.down) * period - zero
    return instant > interval.low && instant <= interval.high ? instant : nil
  }
}
