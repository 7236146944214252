// How long a hold may outlive its cause: until the first probe after the cause has been answered.

import RateLimit
import RegistrationCore

struct HoldWatch {
  /// The current hold, and when it was first seen.
  private(set) var hold: (reason: Holds.Reason, since: Seconds)?
  /// A gateway's 403 began it.
  private(set) var isForbidden = false
  /// Since when, as far as was seen, only the daemon has kept it from ending.
  private(set) var clearSince: Seconds = 0

  /// Seconds within which a hold ends after its cause: the longest wait for a probe, and the probe's duration. From the
  /// design, not from the code.
  ///
  /// - Parameters:
  ///   - age: Seconds that the hold has lasted.
  ///   - isForbidden: A gateway's 403 began it.
  ///   - quiet: Seconds for which a failing server has asked everybody to wait.
  static func bound(_ reason: Holds.Reason, age: Seconds, isForbidden: Bool, quiet: Seconds) -> Seconds {
    let spacing: Seconds =
      switch reason {
      case .credentials: 20 * 1.1
      case .outage: max(isForbidden ? 60 : 7.5, age > 600 ? min(120, age / 20) : 0)
      case .refused: 300 * 1.1
      }
    return max(0, quiet) + spacing + lastProbe
  }

  /// Seconds for a probe that was on its way when the cause ended, and for the one that ends the hold.
  private static let lastProbe: Seconds = ModelAPI.timeout + 10

  mutating func obstructed(until time: Seconds) { clearSince = max(clearSince, time) }

  mutating func saw(_ new: Hold?, at now: Seconds) {
    if hold?.reason != new?.reason { clearSince = now }
    hold = new.map { ($0.reason, hold?.reason == $0.reason ? hold?.since ?? now : now) }
    isForbidden = new?.fault.status == 403
  }
}

extension DaemonRun {
  /// A hold that continues although its cause is gone, every key would be answered, and one can be sent.
  mutating func brokenHold(_ process: Process) -> Violation? {
    holdWatch.saw(process.core.holds.hold, at: now)
    guard let hold = holdWatch.hold else { return nil }
    holdWatch.obstructed(until: obstructedUntil(hold.reason, process.core))
    let since = holdWatch.clearSince
    let bound = HoldWatch.bound(
      hold.reason, age: now - hold.since, isForbidden: holdWatch.isForbidden, quiet: oracle.askedUntil - since)
    guard now > since + bound else { return nil }
    guard hasProbe(since: since, process.core) else {
      holdWatch.obstructed(until: now)
      return nil
    }
    let detail = "\(hold.reason.rawValue), \((now - since).shown) s after its cause"
    return Violation(promise: "a hold ends with its cause", detail: detail)
  }

  /// Until when something other than the daemon was in the way.
  private func obstructedUntil(_ reason: Holds.Reason, _ core: Core) -> Seconds {
    let opensAt = core.pacer.standing(now: now, backlog: max(1, queue.open - core.inHand)).opensAt
    guard core.pause == nil, core.diskFault == nil, !core.isStopping, natures.allSatisfy({ ends(reason, $0) }) else {
      return max(now, opensAt ?? now)
    }
    return plan.incidents.reduce(opensAt ?? 0) { latest, incident in
      guard case .trouble(_, let until, _, _) = incident.kind, incident.at <= now else { return latest }
      return max(latest, min(until, now))
    }
  }

  /// Whether the answer to such a key ends a hold.
  private func ends(_ reason: Holds.Reason, _ nature: Nature) -> Bool {
    switch nature {
    case .good: true
    case .unknown, .invalid, .knownLate: reason != .refused
    case .forbidden: isHealed && !plan.endsWithNewList
    case .broken, .unauthorized, .redirected, .gatewayForbidden: isHealed
    }
  }

  /// Whether a key could have been the canary all the time.
  private func hasProbe(since: Seconds, _ core: Core) -> Bool {
    let clock = ModelQueue.clock(since)
    return queue.rows.contains { row in
      let isFree = core.ledger.place(of: row.number).map { $0 == .ready } ?? true
      return row.isOpen && isFree && (row.state == .pending || row.due <= clock)
    }
  }
}
