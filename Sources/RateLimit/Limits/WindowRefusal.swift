// When to probe after a fixed window has refused a request.

extension WindowLimit {
  /// Seconds by which each further refused probe is delayed if the server says "at once".
  private static let impatience: Seconds = 0.5
  /// Seconds by which Retry-After and the window's end may differ and still mean the same instant.
  private static let sameInstant: Seconds = 1.5
  /// Seconds by which a Reset must be earlier than the window's end to be believed.
  private static let earlier: Seconds = 2
  /// The share of a period after which to probe an unexpected refusal, if there may be no windows …
  private static let surprise = 0.05
  /// … and a minimum in seconds.
  private static let shortestSurprise: Seconds = 1
  /// Seconds between probes once the window should be over: the increase for each refused one, and the maximum.
  private static let overdue: Seconds = 0.25
  private static let longestOverdue: Seconds = 1
  /// The longest time between probes, in seconds, if no reply names an end: 2, 4, 8, 16, 30.
  private static let longestBlind: Seconds = 30
  /// How often such a wait doubles at most.
  private static let doublings = 5

  /// When the window should be open again, without the server's lateness.
  ///
  /// - Parameters:
  ///   - wait: The Retry-After of the refusal, capped.
  ///   - isSurprise: Whether several tokens should have been left.
  func reopening(_ reading: RateLimitReading?, wait: Seconds?, isSurprise: Bool, now: Seconds) -> Seconds {
    let end = edge.end.high
    if let wait {
      let until = now + wait + (wait > 0 ? 0 : Self.impatience * Double(refusedProbes))
      // Both name the same second: the finer estimate is used.
      return end > now && abs(end - until) < Self.sameInstant ? end : until
    }
    if edge.isAligned != true {
      if let reset = reading?.reset, now + reset + Self.earlier < end { return now + reset }
      // There may be no windows: a probe is cheap, a window is not.
      if isSurprise { return min(end, now + max(Self.shortestSurprise, period * Self.surprise)) }
    }
    if end > now { return end }
    if reading?.reset != nil {
      return now + max(Self.overdue, min(Self.longestOverdue, Self.overdue * Double(refusedProbes)))
    }
    return now + min(Self.longestBlind, Double(1 << min(refusedProbes, Self.doublings)))
  }
}

/// How long after an edge a server restores its quota, as far as refused probes show.
struct WindowLateness: Hashable, Sendable {
  private(set) var seconds = Self.first
  /// In a row.
  private(set) var refusedProbes = 0

  /// Seconds waited after the first edge.
  private static let first: Seconds = 0.05  // T05
  private static let shortest: Seconds = 0.02
  private static let longest: Seconds = 2
  /// Seconds that a refused probe adds; the second in a row adds twice as much, and so on.
  private static let growth: Seconds = 0.25
  /// The share of it that each further window keeps.
  private static let kept = 0.93

  mutating func probeRefused() {
    refusedProbes += 1
    seconds = min(Self.longest, seconds + Self.growth * Double(refusedProbes))
  }

  mutating func succeeded() { refusedProbes = 0 }

  mutating func windowBegan() { seconds = max(Self.shortest, seconds * Self.kept) }
}
