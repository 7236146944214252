import RateLimit
import Registration

@testable import RegistrationCore

extension Holds {
  /// A reply at a time whose date does not matter: 2026-11-26T11:44:20Z. A probe was sent just before.
  mutating func observe(
    _ verdict: Verdict, for job: Job, sent: Int, wait: Seconds = 0, now: Seconds
  ) -> [Effect] {
    if job.isProbe { probeSent(order: job.order) }
    return observe(
      verdict, for: job, sent: sent, wait: wait,
      at: Moment(now: now, wall: Timestamp(milliseconds: 1_795_693_460_000)))
  }
}

func holds(maxAttempts: Int = 8) -> Holds {
  Holds(retry: RetryPolicy(maxAttempts: maxAttempts, firstDelay: 1, maxDelay: 300), seed: 7)
}

func job(_ row: Int64, order: Int, attempts: Int = 0, isProbe: Bool = false, isKnownGood: Bool = false) -> Job {
  Job(
    key: DueKey(row: row, id: AppKeyID(high: 0, low: UInt64(row)), attempts: attempts, state: .pending),
    order: order, sentAt: Timestamp(milliseconds: 0), isProbe: isProbe, isKnownGood: isKnownGood)
}

extension Moment {
  static let zero = Moment(now: 0, wall: Timestamp(milliseconds: 1_795_693_460_000))
}
