// How fast a period is used where others cannot be seen: a little faster than evenly, since what we take early, they miss
// late. In the last period but one it is used faster, because what comes back late then makes the end late.

enum SharedPace {
  /// Multiples of the even rate, and the same in the last period but one.
  private static let tempo = 1.2
  private static let lastTempo = 3.0

  /// When the next request may go.
  ///
  /// - Parameters:
  ///   - free: Requests that we may still send in this period.
  ///   - withheld: Requests of each period that are left to others.
  static func next(_ ask: Ask, _ allowance: Allowance, free: Int, withheld: Int) -> Seconds {
    let isSoonDone = ask.backlog <= free + allowance.count - withheld
    return ask.lastSentAt + allowance.period / (allowance.tokens * (isSoonDone ? lastTempo : tempo))
  }
}
