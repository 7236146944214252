// Refusals in a row that no known limit explains: a 429 without details, or one of a limit that no reply mentions. All
// that can be done is to try again, later each time.

struct UnexplainedRefusals: Sendable {
  /// Since the last success.
  private(set) var count = 0
  private var at: Seconds = -.infinity

  /// The pause after the first refusal, in seconds: short, since a gateway's refusal is often over in a moment.
  static let first: Seconds = 0.5
  /// The longest pause, in seconds: half of the most common period, so that a new window is used soon after it opens.
  static let longest: Seconds = 30
  /// How often a pause doubles at most.
  private static let doublings = 10

  mutating func note(at now: Seconds) {
    count += 1
    at = now
  }

  mutating func succeeded() { count = 0 }

  /// Whether a refusal belongs to a request that was in flight when the last one came: those count as one.
  func covers(_ flight: Flight) -> Bool { count > 0 && flight.sentAt < at }

  /// 0.5, 1, 2 … 30 s after the first, second, third refusal; call it after one only.
  var pause: Seconds { min(Self.longest, Self.first * Double(1 << min(max(0, count - 1), Self.doublings))) }
}
