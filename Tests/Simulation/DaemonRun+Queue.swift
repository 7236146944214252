// Each use of the queue: by the model, and where the run is paired by the real one too, which must say the same.

package import RateLimit
package import Registration
package import RegistrationCore
import RegistrationQueue

extension DaemonRun: KeySource {
  /// Runs `body` on the real queue. What it returns is in what the two differ.
  private mutating func pair(_ step: String, _ body: (RealQueue, RegistrationQueue) throws -> String?) {
    guard let real, violation == nil else { return }
    real.setClock(now: now, wall: wall)
    do {
      let difference = try body(real, real.open())
      tally.comparisons += 1
      if let difference { fail("the queue is as its model is", "\(step): \(difference)") }
    } catch {
      fail("the queue works", "\(step): \(error)")
    }
  }

  // MARK: - Writing

  mutating func add(_ list: ListPlan) {
    let before = queue
    queue.add(list, now: now)
    let wall = wall
    let shared = before.rowsNamed(by: list).map { before.rows[$0].id }
    let new = queue.rows.dropFirst(before.rows.count).map(\.id)
    pair("list \(list.name) comes") { real, _ in
      try real.add(new + shared, as: list.name, isForced: list.isForced, terms: list.terms, at: wall)
      return nil
    }
    compareWhole()
  }

  mutating func write(_ results: [KeyResult]) {
    queue.record(results, now: now)
    let hasStopped = queue.takeStops()
    let (model, moment) = (queue, moment)
    let isWhole = tally.comparisons % 32 == 0
    pair("results") { _, queue in
      try queue.record(results)
      if queue.takeStops() != hasStopped { return "a list was \(hasStopped ? "not " : "")stopped" }
      for row in Set(results.map(\.row)).sorted() {
        if let difference = try model.difference(ofRow: row, from: queue, at: moment) { return difference }
      }
      return try model.difference(from: queue, now: moment.now)
    }
    if isWhole { compareWhole() }
    if hasStopped { process?.hasStopped = true }
  }

  mutating func cancel(_ list: Int) {
    let (wall, inFlight) = (wall, rowsInFlight())
    noteAwaited { $0.cancel(list, inFlight: inFlight) }
    pair("list \(list) is cancelled") { _, queue in
      _ = try queue.cancel(Int64(list + 1), at: wall, inFlight: { inFlight })
      return nil
    }
    compareWhole()
  }

  /// As the shell, after a commit that has stopped a list, and as the daemon when it starts.
  mutating func finishCancels() {
    let (wall, inFlight) = (wall, rowsInFlight())
    noteAwaited { $0.finishCancels(inFlight: inFlight) }
    pair("the rest of cancelled lists is cancelled") { _, queue in
      try queue.finishCancels(at: wall, inFlight: { inFlight })
      return nil
    }
    compareWhole()
  }

  private mutating func noteAwaited(_ cancel: (inout ModelQueue) -> Void) {
    let before = queue.awaited
    cancel(&queue)
    tally.awaited += queue.awaited.subtracting(before).count
  }

  /// As the shell, once keys of cancelled lists have come back.
  mutating func cancelReturned() {
    let (wall, inFlight) = (wall, undecided)
    let isNews = queue.hasReturned(isInFlight: inFlight.contains)
    queue.cancelReturned(inFlight: inFlight)
    pair("keys of cancelled lists are back") { _, queue in
      if queue.hasReturned(isInFlight: inFlight.contains) != isNews { return "some are \(isNews ? "not " : "")back" }
      try queue.cancelReturned(at: wall, isInFlight: inFlight.contains)
      return nil
    }
    compareWhole()
  }

  /// As `WorkerPool.rowsInFlight`.
  private mutating func rowsInFlight() -> Set<Int64> {
    deliver(.keysChanged)
    return undecided
  }

  var undecided: Set<Int64> { process?.core.ledger.undecided ?? [] }

  mutating func set(_ list: Int, _ change: ListTermsChange) {
    queue.set(list, change)
    let (name, hasStopped) = (queue.lists[list].name, queue.takeStops())
    pair("list \(name) is worked differently") { _, queue in
      guard try queue.setTerms(of: name, change) != nil else { return "there is no such list" }
      return queue.takeStops() == hasStopped ? nil : "a list was \(hasStopped ? "not " : "")stopped"
    }
    if hasStopped { finishCancels() }
    compareWhole()
  }

  mutating func retry(_ plan: RetryPlan) {
    var selection = RetrySelection()
    switch plan {
    case .all: break
    case .list(let list): selection.list = Int64(list + 1)
    case .status(let status): selection.error = "\(status)"
    case .keys(let shares): selection.keys = queue.rowsNamed(by: shares).map(\.id)
    }
    queue.retry(plan, now: now)
    pair("failed keys are put back") { [selection] _, queue in
      _ = try queue.retry(selection)
      return nil
    }
    compareWhole()
  }

  mutating func reopen(_ end: RealQueue.End) {
    queue.forgetFlights()
    pair("the process ends") { real, _ in
      try real.end(end)
      return nil
    }
    compareWhole()
  }

  // MARK: - Reading

  package typealias Failure = Never

  package var pageSize: Int { plan.readAhead }

  package mutating func secondsUntilDue() -> Seconds? { queue.secondsUntilDue(now: now) }

  package mutating func dueKeys(_ read: KeyRead) -> [DueKey] {
    let keys = queue.dueKeys(
      limit: plan.readAhead, except: read.except, horizon: read.horizon, turn: read.turn, now: now)
    let (limit, wait) = (plan.readAhead, queue.secondsUntilDue(now: now))
    pair("due keys are read") { _, queue in
      let real = try queue.dueKeys(limit: limit, except: read.except, horizon: read.horizon, turn: read.turn)
      if real != keys { return "\(real.map(\.row)), not \(keys.map(\.row))" }
      let realWait = try queue.secondsUntilDue()
      return realWait == wait
        ? nil : "the next is due in \(String(describing: realWait)) s, not \(String(describing: wait))"
    }
    return keys
  }

  /// Which keys they are is chance, but not how many of which list.
  package mutating func sampleKeys(_ read: KeyRead) -> [DueKey] {
    let taken = read.except
    let keys = queue.sampleKeys(limit: plan.readAhead, except: taken, random: &random)
    let (limit, model) = (plan.readAhead, queue)
    pair("keys are sampled") { _, queue in
      let real = try queue.sampleKeys(limit: limit, except: taken)
      if real.map({ model[$0.row].lists[0] }) != keys.map({ model[$0.row].lists[0] }) {
        return "\(real.map(\.row)), not of the lists of \(keys.map(\.row))"
      }
      let isRight =
        Set(real.map(\.row)).count == real.count
        && real.allSatisfy { $0 == model[$0.row].key && $0.state == .pending && !taken.contains($0.row) }
      return isRight ? nil : "\(real.map(\.row)) are not what was wanted"
    }
    return keys
  }

  /// A key that the credentials in force have registered lately.
  mutating func registeredKey() -> RegisteredKey? {
    let known = queue.registeredKey(since: wall.adding(seconds: -KnownKey.longestAge), by: kept.access.registrar)
    // Whatever the wall clock was set to, the real queue knows how old a key is at the least.
    guard !oracle.isClockSet else { return known }
    let registrar = kept.access.registrar
    pair("a registered key is looked for") { _, queue in
      let real = try queue.registeredKey(within: KnownKey.longestAge, by: registrar)
      guard real?.key == known?.key else {
        return "key \(String(describing: real?.key.row)), not \(String(describing: known?.key.row))"
      }
      guard let real, let known else { return nil }
      return abs(real.at.seconds(since: known.at)) <= 0.002 ? nil : "registered at \(real.at), not \(known.at)"
    }
    return known
  }

  // MARK: - Comparing

  /// Compares every key, list, counter and sum.
  mutating func compareWhole() {
    let (model, moment) = (queue, moment)
    pair("looked through") { _, queue in
      if let difference = try model.difference(from: queue, now: moment.now) { return difference }
      for row in model.rows {
        if let difference = try model.difference(ofRow: row.number, from: queue, at: moment) { return difference }
      }
      return try model.differenceOfLists(from: queue)
    }
  }
}

// MARK: - Differences

extension ModelQueue {
  /// Of what is open in its order, the counters and the sums: what every commit may change.
  func difference(from queue: RegistrationQueue, now: Seconds) throws -> String? {
    if KeyState.allCases.contains(where: { queue.tally[$0] != tally[$0] }) { return "\(queue.tally), not \(tally)" }
    let lastWait = rows.filter { $0.state == .retrying }.map { $0.due - Self.clock(now) }.max()
    let realWait = queue.tally.lastDue.map { $0.milliseconds - queue.sureTime.milliseconds }
    if realWait != lastWait { return "the last key waits \(String(describing: realWait)) ms, not \(lastWait ?? 0)" }
    let active = lists.indices.filter { counts(of: $0).open > 0 }
    // Nobody writes results here.
    let totals = queue.listTotals
    if (totals.total, totals.active, totals.finishing) != (lists.count, active.count, lists.count - active.count) {
      return "\(totals), but \(active.count) of \(lists.count) lists are active"
    }
    let progress = active.map(counts).reduce(into: OpenProgress()) { sum, counts in
      (sum.done, sum.total) = (sum.done + counts.done, sum.total + counts.total)
    }
    if queue.openProgress != progress { return "\(queue.openProgress), not \(progress)" }
    // Without a horizon those that are not due yet follow in their order.
    let most = max(1, rows.count)
    let order = dueKeys(limit: most, except: [], horizon: 0, turn: 0, now: now)
    let real = try queue.dueKeys(limit: most, except: [], horizon: 0)
    return real == order ? nil : "\(real.map(\.row)) are open in this order, not \(order.map(\.row))"
  }

  func difference(ofRow row: Int64, from queue: RegistrationQueue, at moment: Moment) throws -> String? {
    let known = self[row]
    guard let real = try queue.key(known.id) else { return "key \(row) is not there" }
    let wait = Double(known.due - Self.clock(moment.now)) / 1_000
    let due = known.state == .retrying ? moment.wall.adding(seconds: wait) : nil
    let isSame =
      real.row == row && real.outcome.state == known.state && real.outcome.attempts == known.attempts
      && real.dueAt == due && real.lists == known.lists.map { lists[$0].name }
    return isSame ? nil : "\(real), not \(known), due at \(String(describing: due))"
  }

  func differenceOfLists(from queue: RegistrationQueue) throws -> String? {
    let real = try queue.lists(newest: .max)
    guard real.map(\.name) == lists.map(\.name) else { return "lists \(real.map(\.name)), not \(lists.map(\.name))" }
    for (index, list) in lists.enumerated() {
      let (record, counts) = (real[index], counts(of: index))
      let isSame =
        record.keys == counts && record.alreadyKnown == list.shared && record.requeued == list.requeued
        && record.accepted == counts.total - list.shared && (record.cancelledAt != nil) == list.isCancelled
        && (record.stoppedAt != nil) == list.isStopped && record.terms == list.terms
        && (record.finishedAt != nil) == (counts.open == 0) && record.importedAt != nil
      if !isSame { return "\(record), not \(list) with \(counts)" }
    }
    var ahead: [Int64: Int] = [:]
    var sum = 0
    let order = lists.indices.sorted { one, other in
      (-lists[one].terms.priority, lists[one].name) < (-lists[other].terms.priority, lists[other].name)
    }
    for index in order {
      let open = rows.count { $0.isOpen && $0.lists[0] == index }
      sum += open
      if open > 0 { ahead[Int64(index + 1)] = sum }
    }
    let realAhead = try queue.openKeysAhead()
    return realAhead == ahead ? nil : "open keys ahead \(realAhead), not \(ahead)"
  }

  private var tally: Tally { Self.tally(rows) }

  private func counts(of list: Int) -> Tally { Self.tally(rows.filter { $0.lists.contains(list) }) }

  private static func tally(_ rows: [Row]) -> Tally {
    rows.reduce(into: Tally()) { tally, row in tally[row.state] += 1 }
  }
}
