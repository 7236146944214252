// How long a quota has stayed away: no window is shorter than that. What probes have shown is kept. A single
// Retry-After may be odd, so it is kept only once two refusals name the same end. Until then it counts only until the
// quota is used up again.

struct Drought: Sendable {
  private var kept: Seconds = 0
  private var told: Seconds = 0
  private var toldEnd: Seconds = -.infinity

  /// Seconds by which two waits with the same end may differ: each is rounded up.
  private static let sameEnd: Seconds = 1

  /// Seconds.
  var longest: Seconds { max(kept, told) }

  /// The quota was used up again.
  mutating func begin() { told = 0 }

  /// A probe was refused so many seconds after the quota was used up.
  mutating func note(_ seconds: Seconds) { kept = max(kept, seconds) }

  /// A refusal asked for a wait of so many seconds.
  mutating func note(wait: Seconds, at now: Seconds) {
    if abs(now + wait - toldEnd) <= Self.sameEnd { kept = max(kept, wait) }
    toldEnd = now + wait
    told = max(told, wait)
  }
}
