// How many requests may be in flight. Grows with every success and halves when the service struggles, at most once a
// round trip: failures at the same moment are one event. Unlike tokens, this says something about overload.

struct Concurrency: Hashable, Sendable {
  /// The operator's limit.
  var workers: Int
  private var allowed: Double = 1
  private var cutAt: Seconds = -.infinity

  /// The share of them that is still allowed when the service struggles.
  private static let kept = 0.5

  init(workers: Int) { self.workers = workers }

  var limit: Int { min(workers, Int(clamping: allowed)) }

  /// - Parameter ceiling: Below the operator's limit while no headers say how much is left.
  mutating func grow(ceiling: Int? = nil) {
    allowed = min(Double(min(workers, ceiling ?? workers)), allowed + 1)
  }

  mutating func open(to count: Int) { allowed = max(allowed, Double(min(count, workers))) }

  /// - Returns: whether this was a new event.
  @discardableResult
  mutating func halve(now: Seconds, roundTrip: Seconds) -> Bool {
    guard now - cutAt > roundTrip else { return false }
    allowed = max(1, Self.kept * allowed)
    cutAt = now
    return true
  }
}
