// How long each kind of wait may outlive its reason. Holds have their own watch.

import RateLimit
import RegistrationCore

struct WaitWatch {
  /// Since when nothing was sent for the same reason, and nothing but that reason was in the way.
  private var stood: (kind: Kind, since: Seconds)?

  private enum Kind: Equatable {
    case disk, recording, limit
  }

  /// Seconds after which the disk is tried again once it works: a second, and what it takes for a read or a write.
  private static let disk: Seconds = 15
  /// Seconds in which the results that are in hand are written by a disk that works.
  private static let recording: Seconds = 30
  /// Seconds for which nothing is sent while a canary is out, unless a hold is reported.
  private static let inquiry: Seconds = 7.5
  /// Seconds: the longest wait for a limit whose period no reply names, and for a shorter one.
  private static let hour: Seconds = 3_600
  private static let minute: Seconds = 60
  /// The longest Retry-After of these runs, in seconds. Only with a limit that the operator assumes is all of it obeyed.
  private static let longestAsked: Seconds = 5_000

  mutating func interrupted() { stood = nil }

  /// - Parameters:
  ///   - isPaused: The operator has paused.
  ///   - diskWorksSince: Since when the disk neither refuses anything nor is slow.
  mutating func broken(
    _ process: DaemonRun.Process, _ plan: Plan, isPaused: Bool, diskWorksSince: Seconds, now: Seconds
  ) -> Violation? {
    let promise = "no wait outlives its reason"
    if (process.core.pause != nil) != isPaused { return Violation(promise: promise, detail: "a pause") }
    if let broken = brokenInquiry(process, now: now) { return Violation(promise: promise, detail: broken) }
    switch process.core.standstill {
    case .stopping, .paused, .hold, .inquiry, .nothingDue, nil: stood = nil
    case .reply:
      stood = nil
      if process.flights.isEmpty { return Violation(promise: promise, detail: "for a reply, and none is to come") }
    case .disk:
      let waited = stands(.disk, excusedUntil: diskWorksSince, now: now)
      if waited > Self.disk { return Violation(promise: promise, detail: "the disk, \(waited.shown) s") }
    case .recording:
      let waited = stands(.recording, excusedUntil: diskWorksSince, now: now)
      if waited > Self.recording { return Violation(promise: promise, detail: "results, \(waited.shown) s") }
    case .limit(let until):
      let bound = Self.longestLimitWait(plan, now: now)
      let waited = stands(.limit, excusedUntil: process.flights.isEmpty ? 0 : now, now: now)
      if max(waited, until - now) > bound {
        let detail = "the limit, \(waited.shown) s and \((until - now).shown) s to come"
        return Violation(promise: promise, detail: detail)
      }
    }
    return nil
  }

  /// Seconds since this kind of wait began, or since it was last excused.
  private mutating func stands(_ kind: Kind, excusedUntil time: Seconds, now: Seconds) -> Seconds {
    let since = stood.map { $0.kind == kind ? max($0.since, time) : now } ?? now
    stood = (kind, since)
    return now - since
  }

  private func brokenInquiry(_ process: DaemonRun.Process, now: Seconds) -> String? {
    guard process.core.holds.hold == nil, case .closed(let until) = process.core.holds.gate(now: now) else {
      return nil
    }
    guard let until else {
      return process.flights.values.contains(where: \.isProbe) ? nil : "for a canary, and none is in flight"
    }
    return until > now + Self.inquiry + 0.001 ? "an inquiry of \((until - now).shown) s that is no hold" : nil
  }

  /// Two periods of a limit that replies show, and an hour for any other. From the design, not from the code.
  private static func longestLimitWait(_ plan: Plan, now: Seconds) -> Seconds {
    let limits = plan.limits.filter { $0.from <= now }.compactMap(\.limit)
    var bound = limits.reduce(minute) { max($0, 2 * $1.period) }
    if limits.contains(where: { !$0.hasHeaders }) { bound = max(bound, hour) }
    for incident in plan.incidents where incident.at <= now {
      guard case .trouble(let trouble, _, _, _) = incident.kind else { continue }
      // Refusals that no limit explains look like one that no reply names.
      if trouble == .throttled || trouble == .throttledFor { bound = max(bound, hour) }
      if trouble == .throttledFor, plan.assume != nil { bound = max(bound, longestAsked) }
    }
    return bound + 1
  }
}
