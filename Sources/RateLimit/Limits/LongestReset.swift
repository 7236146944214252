// The longest Reset of a limit whose replies name no period: no window is shorter than the time it has left. Two replies
// in a row must show it, because one may come from elsewhere.

struct LongestReset: Sendable {
  private struct Reset {
    var seconds: Seconds
    var at: Seconds

    /// Seconds that are left of it.
    func left(at now: Seconds) -> Seconds { seconds - (now - at) }
  }

  private var last: Reset?
  /// The last one, if it was longer than the known period.
  private var lastLong: Reset?
  /// The longest on which two in a row agree.
  private var longest: Seconds = 0

  /// Seconds by which a period must be longer than the known one to replace it.
  private static let longer: Seconds = 0.5
  /// By this factor the longest Reset must be shorter than a guessed period to replace it.
  private static let farShorter = 0.5
  /// Seconds by which the next Reset may be less than what is left of the last one, if both are of the same window.
  private static let tolerance: Seconds = 2

  /// Takes in a Reset of `reset` seconds. Returns the period if it proved to be longer than the known one.
  mutating func note(_ reset: Seconds, period: Seconds?, at now: Seconds) -> Seconds? {
    longest = max(longest, min(reset, last.map { $0.left(at: now) + Self.tolerance } ?? 0))
    last = Reset(seconds: reset, at: now)
    guard let period, UsualPeriod.nearest(reset) > period + Self.longer else {
      lastLong = nil
      return nil
    }
    defer { lastLong = Reset(seconds: reset, at: now) }
    guard let earlier = lastLong, reset >= earlier.left(at: now) - Self.tolerance else { return nil }
    return UsualPeriod.nearest(earlier.seconds)
  }

  /// The period that the Resets suggest, if it is far shorter than `guess`. The first guess may have been too long, but a
  /// Reset may also be no period.
  func period(farShorterThan guess: Seconds) -> Seconds? {
    guard last != nil else { return nil }
    let period = UsualPeriod.nearest(longest)
    return period < Self.farShorter * guess ? period : nil
  }
}
