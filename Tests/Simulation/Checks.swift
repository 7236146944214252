// What must hold between two steps.

import Registration
import RegistrationCore

extension DaemonRun.Process {
  /// A reply is on its way to the core. Returns the request.
  func hear(
    _ reply: ModelAPI.Reply, _ order: Int, _ oracle: inout Oracle, now: Double, _ story: inout Story
  ) -> Job? {
    guard let job = flights.removeValue(forKey: order) else { return nil }
    oracle.hear(reply, to: job, sent: core.sent, isOpen: core.holds.isOpen, now: now)
    story.note(now, "request \(order), key \(job.key.row): \(reply.verdict.trouble ?? "registered")")
    return job
  }
}

extension DaemonRun {
  mutating func check() {
    guard violation == nil, let process else { return }
    if process.core.holds.isOpen, let broken = oracle.brokenCount { return fail(broken) }
    if let broken = brokenCount(process) ?? brokenProgress(process) ?? brokenHold(process) ?? brokenWait(process) {
      return fail(broken)
    }
    guard tally.steps % 64 == 0 else { return }
    if !queue.addsUp { return fail("the sum of states", "counters and rows differ") }
    if let broken = brokenSum(process) { fail(broken) }
  }

  /// More requests than all keys of a run need by themselves.
  private static let mostFruitless = 2_000

  /// Keys that are wrong themselves may cost time, but never stop good ones.
  mutating func watchOthers(_ verdict: Verdict) {
    switch verdict {
    // A 401 stops everything, however often others succeed: it is never a key's own.
    case .throttled, .unanswered, .stale, .unauthorized: fruitless = 0
    default: fruitless = isTroubled ? 0 : fruitless + 1
    }
    guard fruitless > Self.mostFruitless else { return }
    fruitless = 0
    guard let row = queue.rows.first(where: { $0.state == .pending && $0.nature == .good }) else { return }
    fail("bad keys do not stop the others", "key \(row.number) was not sent in \(Self.mostFruitless) requests")
  }

  private var isTroubled: Bool {
    plan.incidents.contains { incident in
      if case .trouble(_, let until, _, _) = incident.kind { incident.at <= now && now < until } else { false }
    }
  }

  /// Each key has one place, and what the core counts is what there is.
  private func brokenCount(_ process: Process) -> Violation? {
    let own = process.flights.values.count { !$0.isKnownGood }
    let place = "a key has one place"
    if process.core.busy != process.flights.count {
      return Violation(
        promise: "what is under way is counted", detail: "\(process.core.busy), \(process.flights.count)")
    }
    if process.core.ledger.count(.inFlight) != own {
      return Violation(promise: place, detail: "\(process.core.ledger.count(.inFlight)) in flight, \(own) sent")
    }
    if process.core.ledger.count(.awaitingCommit) != oracle.unwritten.count {
      let detail =
        "\(process.core.ledger.count(.awaitingCommit)) await their commit, \(oracle.unwritten.count) have a result"
      return Violation(promise: place, detail: detail)
    }
    if process.core.ledger.count(.awaitingWitness) != process.core.holds.waiting {
      let detail =
        "\(process.core.ledger.count(.awaitingWitness)) await a witness, \(process.core.holds.waiting) are kept"
      return Violation(promise: place, detail: detail)
    }
    if process.core.inHand != own + oracle.unwritten.count + process.core.holds.waiting {
      return Violation(promise: "what is in hand is counted", detail: "\(process.core.inHand)")
    }
    // What the design promises, not what the code has: at most this many are sent again after a kill.
    if process.core.inHand > 192 + 1 {
      return Violation(promise: "little is in hand", detail: "\(process.core.inHand)")
    }
    let lost = process.flights.values.first {
      !$0.isKnownGood && process.core.ledger.place(of: $0.key.row) != .inFlight
    }
    return lost.map { Violation(promise: place, detail: "key \($0.key.row) is in flight and elsewhere") }
  }

  /// Status counts what is in hand as open. So it is, apart from what was cancelled meanwhile, or committed and not yet
  /// reported.
  private func brokenSum(_ process: Process) -> Violation? {
    let inHand = queue.rows.filter { process.core.ledger.place(of: $0.number).map { $0 != .ready } ?? false }
    if inHand.count != process.core.inHand {
      return Violation(promise: "the sum of states", detail: "\(process.core.inHand) in hand, not \(inHand.count)")
    }
    guard process.untold == 0 else { return nil }
    return inHand.first { !$0.isOpen && $0.state != .cancelled }.map {
      Violation(promise: "the sum of states", detail: "key \($0.number) is in hand and \($0.state.name)")
    }
  }

  private mutating func brokenWait(_ process: Process) -> Violation? {
    let diskWorksSince = plan.incidents.reduce(0) { latest, incident in
      guard case .trouble(let trouble, let until, _, _) = incident.kind, trouble.isOfTheDisk, incident.at <= now else {
        return latest
      }
      return max(latest, min(until, now))
    }
    return waitWatch.broken(
      process, plan, isPaused: kept.pause != nil, diskWorksSince: diskWorksSince, now: now)
  }

  /// If keys are open, an event must be pending.
  private func brokenProgress(_ process: Process) -> Violation? {
    guard process.flights.isEmpty, !process.isReading, process.results.isEmpty, process.untold == 0,
      process.changesToTell == 0, !process.cancels.isUnderWay, process.core.pause == nil, !process.core.isStopping
    else { return nil }
    if process.wake == nil, queue.open > 0 {
      let detail = "\(queue.open) keys are open, nothing is to come: \(String(describing: process.core.standstill))"
      return Violation(promise: "never stuck", detail: detail)
    }
    guard case .nothingDue = process.core.standstill else { return nil }
    for row in queue.rows where row.isOpen && process.core.ledger.place(of: row.number) == nil {
      let due = row.state == .retrying ? Double(row.due) / 1_000 : now
      if let wake = process.wake, wake <= max(due, now) + 0.1 { continue }
      let detail = "key \(row.number) is due at \(due.shown), the core wakes at \(process.wake?.shown ?? "no time")"
      return Violation(promise: "no key is forgotten", detail: detail)
    }
    return nil
  }
}
