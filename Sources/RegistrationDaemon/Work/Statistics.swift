package import RateLimit
package import Registration
package import RegistrationAPI
package import RegistrationCore
import RegistrationQueue

/// What was sent and received since the start, for status and metrics.
package struct Statistics: Sendable {
  /// Keys that got their outcome.
  package struct Outcomes: Sendable {
    package var registered = 0
    package var failed = 0
  }

  /// Requests that were sent and have ended. Those that were never sent (nothing listens, no such host) only count in
  /// `transportErrors`.
  package private(set) var sent = 0
  package private(set) var created = 0
  package private(set) var throttled = 0
  package private(set) var clientErrors = 0
  package private(set) var serverErrors = 0
  package private(set) var transportErrors = 0
  /// When a key was last registered.
  package private(set) var lastSuccessAt: Timestamp?
  /// Replies by status; 0 stands for requests without a reply.
  package private(set) var byStatus: [Int: Int] = [:]
  /// Upper bounds of the buckets of durations in the metrics, in seconds.
  package static let bounds: [Seconds] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30]
  /// Of requests that got a reply.
  package private(set) var durations = Durations()
  /// Seconds spent waiting, by reason.
  package private(set) var waited: [Standstill.Kind: Seconds] = [:]
  /// Seconds spent in each phase.
  package private(set) var spent: [Phase: Seconds] = [:]

  /// Keys that got their outcome, by minute: those of the last day, whatever the clock does.
  package private(set) var outcomes: [Int64: Outcomes] = [:]
  package private(set) var throughput = Throughput()

  /// - Parameter lastSuccessAt: When an earlier run last registered a key.
  package init(lastSuccessAt: Timestamp? = nil) {
    self.lastSuccessAt = lastSuccessAt
  }

  package mutating func received(_ exchange: Exchange, at wall: Timestamp) {
    if case .registered = exchange.verdict { lastSuccessAt = wall }
    if exchange.wasSent {
      sent += 1
      byStatus[exchange.status ?? 0, default: 0] += 1
    }
    guard let status = exchange.status else {
      transportErrors += 1
      return
    }
    switch status {
    case 429: throttled += 1
    case 400..<500: clientErrors += 1
    default:
      // A redirect, or a 2xx that does not confirm the key, also counts as a server error: every reply is counted once.
      if case .registered = exchange.verdict { created += 1 } else { serverErrors += 1 }
    }
    durations.record(exchange.duration)
  }

  /// From `start` to `end` nothing more could be sent for this reason; nil if every worker was busy.
  package mutating func stood(
    _ standstill: Standstill?, _ phase: Phase, isBusy: Bool, from start: Seconds, to end: Seconds
  ) {
    spent[phase, default: 0] += max(0, end - start)
    if let kind = standstill?.kind { waited[kind, default: 0] += max(0, end - start) }
    switch standstill {
    case .stopping, .paused, .disk, .hold: break
    case .nothingDue where !isBusy: break
    case .nothingDue, .recording, .inquiry, .limit, .reply, nil: throughput.worked(from: start, to: end)
    }
  }

  /// The outcome of these keys became known.
  ///
  /// - Parameter wall: The present time. Each counts for the minute of its own time.
  package mutating func settled(_ results: [KeyResult], now: Seconds, wall: Timestamp) {
    let minutes = outcomes.count
    var count = 0
    for result in results where result.decision.isOutcome {
      count += 1
      let minute = MinuteRecord.minute(of: result.at)
      if result.decision == .registered {
        outcomes[minute, default: Outcomes()].registered += 1
      } else {
        outcomes[minute, default: Outcomes()].failed += 1
      }
    }
    throughput.settled(count, now: now)
    guard outcomes.count > minutes else { return }
    let present = MinuteRecord.minute(of: wall)
    outcomes = outcomes.filter { abs($0.key - present) < RegistrationQueue.historyLength }
  }

  /// Requests that neither registered a key nor were answered with 429.
  package var others: Int { max(0, sent - created - throttled) }
}
