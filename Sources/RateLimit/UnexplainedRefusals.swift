// Refusals in a row that no known limit explains: a 429 without a word, or one of a limit that no reply tells of. All that
// can be done is to ask ever later.

struct UnexplainedRefusals: Sendable {
  /// Since the last success.
  private(set) var count = 0
  private var at: Seconds = -.infinity

  /// Longest pause, in seconds.
  private static let longest: Seconds = 30

  mutating func note(at now: Seconds) {
    count += 1
    at = now
  }

  mutating func succeeded() { count = 0 }

  /// Whether a refusal is of a request that was under way when the last one came: those are one.
  func covers(_ flight: Flight) -> Bool { count > 0 && flight.sentAt < at }

  /// 0.5, 1, 2 … 30 s after the first, second, third refusal.
  var pause: Seconds { min(Self.longest, 0.25 * Double(1 << min(count, 10))) }
}
