import RateLimit
import Registration

@testable import RegistrationCore

extension Holds {
  /// A reply at a time whose date does not matter: 2026-11-26T11:44:20Z.
  mutating func observe(
    _ verdict: Verdict, for job: Job, sent: Int, wait: Seconds = 0, now: Seconds
  ) -> [Effect] {
    observe(
      verdict, for: job, sent: sent, wait: wait,
      at: Moment(now: now, wall: Timestamp(milliseconds: 1_795_693_460_000)))
  }
}
