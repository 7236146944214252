// The period of a limit whose replies name none. A reply at the start of a window has nearly all of it as its Reset, so
// the longest Reset so far is the best guess.

enum UsualPeriod {
  /// Periods that limits have, in seconds.
  private static let known: [Seconds] = [
    1, 5, 10, 15, 20, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 43_200, 86_400,
  ]

  /// Seconds by which a measured period may be longer, and shorter, than it was seen to be at most and at least.
  private static let longer: Seconds = 0.1
  private static let shorter: Seconds = 0.04

  /// Seconds by which a Reset at the start of a window may be less than the period, and more.
  private static let resetLess: Seconds = 1
  private static let resetMore: Seconds = 2
  /// The factor by which an estimate may differ from a period that limits have.
  private static let alike = 0.8...1.25

  /// The period that a Reset suggests. It may have been rounded up twice, or be a second late: 19…22 mean 20, 25 means
  /// 25.
  static func nearest(_ reset: Seconds) -> Seconds {
    known.last { (reset - resetMore...reset + resetLess).contains($0) } ?? max(1, reset)
  }

  /// Whether limits have exactly this period.
  static func isOne(_ period: Seconds) -> Bool { known.contains(period) }

  /// The first one that is longer than this many seconds.
  static func after(_ seconds: Seconds) -> Seconds? { known.first { $0 > seconds } }

  /// The edge of the longest period that has one between two times since 1970.
  static func edge(between low: Seconds, and high: Seconds) -> Seconds? {
    known.reversed().lazy.map { (low / $0).rounded(.up) * $0 }.first { $0 <= high }
  }

  /// The one between two bounds that is nearest to the upper one; without one, the upper bound.
  static func between(_ low: Seconds, _ high: Seconds) -> Seconds {
    fitting(low, high).last ?? max(low, high, Allowance.periods.lowerBound)
  }

  /// Those between two bounds.
  static func fitting(_ low: Seconds, _ high: Seconds) -> [Seconds] {
    known.filter { (low - shorter...max(low, high) + longer).contains($0) }
  }

  /// The one that differs least from an estimate, if it differs by less than a quarter.
  static func roughly(_ estimate: Seconds) -> Seconds {
    known.filter { alike.contains(estimate / $0) }.min { abs($0 - estimate) < abs($1 - estimate) } ?? estimate
  }
}
