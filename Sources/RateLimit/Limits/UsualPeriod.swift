// The period of a limit whose replies name none. A reply at the start of a window has nearly all of it as its Reset, so
// the longest Reset so far is the best guess.

enum UsualPeriod {
  /// Periods that limits have, in seconds.
  private static let known: [Seconds] = [
    1, 5, 10, 15, 20, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 43_200, 86_400,
  ]

  /// The period that a Reset suggests. It may have been rounded up twice, or be a second late: 19…22 mean 20, 25 means
  /// 25.
  static func nearest(_ reset: Seconds) -> Seconds {
    known.last { (reset - 2...reset + 1).contains($0) } ?? max(1, reset)
  }
}
