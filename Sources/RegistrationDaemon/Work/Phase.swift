package import RateLimit
package import RegistrationCore

/// What the pool is doing, in the words of status. It is determined after every event, so that even a phase of milliseconds
/// between two requests for the status counts.
package enum Phase: Sendable, Hashable, CaseIterable {
  case idle, working, waiting, paused, holding, stopping

  /// Shorter waits for the rate limit are part of the work, in seconds.
  private static let shortestWait: Seconds = 1

  /// - Parameters:
  ///   - isBusy: A request is in flight.
  ///   - inHand: Keys that are sent, kept or being written.
  ///   - open: Keys without an outcome in the whole queue.
  ///   - old: The phase until now: a wait for the limit stays one in its last second.
  package init(
    _ standstill: Standstill?, isBusy: Bool, inHand: Int, open: Int, after old: Phase, now: Seconds
  ) {
    switch standstill {
    case .stopping: self = .stopping
    case .paused: self = .paused
    case .disk, .hold: self = .holding
    case .recording, .inquiry, .reply, nil: self = .working
    case .limit(let until):
      self = !isBusy && (old == .waiting || until - now >= Self.shortestWait) ? .waiting : .working
    case .nothingDue(let next):
      if isBusy || inHand > 0 {
        self = .working
      } else if open == 0 {
        self = .idle
      } else {
        // Without a due time, keys are just being read.
        self = next == nil ? .working : .waiting
      }
    }
  }
}
