// The queue as documented: rows, lists in order, waits. Everything here counts as on disk.

import RateLimit
package import Registration

package struct ModelQueue: Sendable {
  package struct Row: Sendable {
    package let number: Int64
    package let nature: Nature
    var lists: [Int]
    package fileprivate(set) var state = KeyState.pending
    package fileprivate(set) var attempts = 0
    /// Of the last result.
    fileprivate var status: Int?
    /// Milliseconds on the clock that cannot be set.
    package fileprivate(set) var due: Int64 = 0
    fileprivate var wasDenied = false
    fileprivate(set) var finishedAt: Timestamp?
    /// The same in seconds of the monotonic clock.
    fileprivate(set) var settledAt: Seconds = -.infinity
    fileprivate(set) var registrar: Int64?
    /// When it was last put back to pending, as if it had never been tried.
    fileprivate(set) var requeuedAt: Seconds = -.infinity

    package var isOpen: Bool { !state.isFinal }

    var id: AppKeyID { AppKeyID(high: 0, low: UInt64(number)) }

    var key: DueKey {
      DueKey(
        row: number, id: id, attempts: attempts, state: state,
        isDenied: state == .retrying && wasDenied)
    }
  }

  struct List: Sendable {
    var name: String
    fileprivate(set) var terms = ListTerms()
    fileprivate(set) var isCancelled = false
    /// It was cancelled because too many of its keys had failed.
    fileprivate(set) var isStopped = false
    /// Of the keys that it brought first: how many are pending, and how many have no outcome.
    fileprivate(set) var ownPending = 0
    fileprivate(set) var ownOpen = 0
    /// How many keys of other lists it repeats, and how many of those it put back to pending.
    fileprivate(set) var shared = 0
    fileprivate(set) var requeued = 0
  }

  package private(set) var rows: [Row] = []
  private(set) var lists: [List] = []
  private var counts = [Int](repeating: 0, count: KeyState.allCases.count)
  /// Lists with more keys in a final state than before the transaction.
  private var gained: Set<Int> = []
  /// A list was stopped since the last look.
  private var hasStopped = false
  /// Rows that were in flight when the last list that wanted them was cancelled. In memory only.
  private(set) var awaited: Set<Int64> = []

  package init() {}

  package var open: Int { counts[KeyState.pending.rawValue] + counts[KeyState.retrying.rawValue] }
  package subscript(number: Int64) -> Row { rows[Int(number) - 1] }

  /// The counters agree with the rows.
  var addsUp: Bool {
    var counted = [Int](repeating: 0, count: counts.count)
    for index in rows.indices { counted[rows[index].state.rawValue] += 1 }
    return counted == counts
  }

  private mutating func move(_ index: Int, to state: KeyState) {
    let old = rows[index].state
    count(index, -1)
    rows[index].state = state
    count(index, 1)
    if state.isFinal, state != old { gained.formUnion(rows[index].lists) }
  }

  private mutating func count(_ index: Int, _ change: Int) {
    let row = rows[index]
    counts[row.state.rawValue] += change
    if row.state == .pending { lists[row.lists[0]].ownPending += change }
    if row.isOpen { lists[row.lists[0]].ownOpen += change }
  }

  /// Ends a transaction: stops the lists in which keys got an outcome and whose share of failed keys is too large.
  private mutating func commit() {
    defer { gained = [] }
    for list in gained.sorted() where !lists[list].isCancelled {
      guard let share = lists[list].terms.stopAfter else { continue }
      let own = rows.filter { $0.lists.contains(list) }
      let failed = own.count { $0.state == .failed }
      let finished = failed + own.count { $0.state == .registered }
      guard finished >= 50, Double(failed) > share * Double(finished), own.contains(where: \.isOpen) else { continue }
      lists[list].isCancelled = true
      lists[list].isStopped = true
      hasStopped = true
    }
  }

  /// As `RegistrationQueue.takeStops`.
  mutating func takeStops() -> Bool {
    defer { hasStopped = false }
    return hasStopped
  }

  // MARK: - Lists

  /// Indices of the rows of earlier lists that a list repeats.
  func rowsNamed(by plan: ListPlan) -> [Int] {
    plan.shared.compactMap { rows.isEmpty ? nil : Int($0 * Double(rows.count)) }
  }

  mutating func add(_ plan: ListPlan, now: Seconds) {
    let shared = rowsNamed(by: plan)
    let list = lists.count
    lists.append(List(name: plan.name, terms: plan.terms))
    for nature in plan.natures {
      rows.append(Row(number: Int64(rows.count + 1), nature: nature, lists: [list]))
      count(rows.count - 1, 1)
    }
    for index in shared where !rows[index].lists.contains(list) {
      rows[index].lists.append(list)
      lists[list].shared += 1
      let old = rows[index].state
      if old == .failed || old == .cancelled || (old == .registered && plan.isForced) {
        requeue(index, now: now)
        lists[list].requeued += 1
      }
    }
  }

  private mutating func requeue(_ index: Int, now: Seconds) {
    move(index, to: .pending)
    rows[index].attempts = 0
    rows[index].wasDenied = false
    rows[index].registrar = nil
    rows[index].status = nil
    rows[index].finishedAt = nil
    rows[index].requeuedAt = now
  }

  /// Rows named by their relative position.
  func rowsNamed(by shares: [Double]) -> [Row] {
    shares.compactMap { rows.isEmpty ? nil : rows[Int($0 * Double(rows.count))] }
  }

  mutating func retry(_ plan: RetryPlan, now: Seconds) {
    let wanted: (Row) -> Bool
    switch plan {
    case .all: wanted = { _ in true }
    case .list(let list): wanted = { $0.lists.contains(list) }
    case .status(let status): wanted = { $0.status == status }
    case .keys(let shares):
      let named = Set(rowsNamed(by: shares).map(\.number))
      wanted = { named.contains($0.number) }
    }
    for index in rows.indices where rows[index].state == .failed && wanted(rows[index]) {
      requeue(index, now: now)
      let revived = if case .list(let list) = plan { list } else { rows[index].lists[0] }
      lists[revived].isCancelled = false
      lists[revived].isStopped = false
    }
    commit()
  }

  /// As `RegistrationQueue.cancel`.
  mutating func cancel(_ list: Int, inFlight: Set<Int64>) {
    lists[list].isCancelled = true
    cancelKeys(of: list, inFlight: inFlight)
  }

  /// Cancelled lists still have keys that no other list wants.
  var hasCancelsToFinish: Bool { rows.contains { $0.isOpen && isUnwanted($0) } }

  /// As `RegistrationQueue.finishCancels`.
  mutating func finishCancels(inFlight: Set<Int64> = []) {
    for list in lists.indices where lists[list].isCancelled { cancelKeys(of: list, inFlight: inFlight) }
  }

  /// As `RegistrationQueue.cancelReturned`.
  mutating func cancelReturned(inFlight: Set<Int64>) {
    let returned = awaited.subtracting(inFlight)
    for index in rows.indices where returned.contains(rows[index].number) {
      if rows[index].isOpen, isUnwanted(rows[index]) { move(index, to: .cancelled) }
    }
    awaited.subtract(returned)
    commit()
  }

  /// As `RegistrationQueue.hasReturned`.
  func hasReturned(isInFlight: (Int64) -> Bool) -> Bool { awaited.contains { !isInFlight($0) } }

  /// The process ends: nothing is in flight.
  mutating func forgetFlights() { awaited = [] }

  private func isUnwanted(_ row: Row) -> Bool { row.lists.allSatisfy { lists[$0].isCancelled } }

  /// Cancels keys that no other list wants. Keys in flight stay open until their reply.
  private mutating func cancelKeys(of list: Int, inFlight: Set<Int64>) {
    for index in rows.indices where rows[index].isOpen && rows[index].lists.contains(list) && isUnwanted(rows[index]) {
      if inFlight.contains(rows[index].number) {
        awaited.insert(rows[index].number)
      } else {
        move(index, to: .cancelled)
      }
    }
    commit()
  }

  mutating func set(_ list: Int, _ change: ListTermsChange) {
    if let priority = change.priority { lists[list].terms.priority = priority }
    switch change.stop {
    case .never: lists[list].terms.stopAfter = nil
    case .after(let share):
      lists[list].terms.stopAfter = share
      gained.insert(list)
    case nil: break
    }
    commit()
  }

  // MARK: - Reading

  /// As `RegistrationQueue.dueKeys`.
  ///
  /// - Parameter turn: Keys taken in this order before: every tenth is from a list of lower priority.
  func dueKeys(limit: Int, except taken: Set<Int64>, horizon: Seconds, turn: Int, now: Seconds) -> [DueKey] {
    let clock = Self.clock(now)
    // Rows are large: their indices are sorted.
    let free = rows.indices.filter { index in
      rows[index].isOpen && !taken.contains(rows[index].number) && !awaited.contains(rows[index].number)
    }
    let waiting = free.filter { rows[$0].state == .retrying }.sorted { (rows[$0].due, $0) < (rows[$1].due, $1) }
    let end = clock + Int64(horizon * 1_000)
    let due = waiting.filter { rows[$0].due <= clock } + waiting.filter { rows[$0].due > end }
    var ranks = [Int](repeating: 0, count: lists.count)
    for (rank, list) in lists.indices.sorted(by: { (lists[$0].name, $0) < (lists[$1].name, $1) }).enumerated() {
      ranks[list] = rank
    }
    let pending = Dictionary(grouping: free.filter { rows[$0].state == .pending }) {
      lists[rows[$0].lists[0]].terms.priority
    }
    let level = { (priority: Int) in
      (pending[priority] ?? []).sorted { (ranks[rows[$0].lists[0]], $0) < (ranks[rows[$1].lists[0]], $1) }
    }
    let highest = pending.keys.max() ?? 0
    let first = level(highest)
    var order: [Int] = []
    for place in 0..<max(due.count, first.count) {
      if place < due.count { order.append(due[place]) }
      if place < first.count { order.append(first[place]) }
    }
    let others = (0..<highest).reduce([]) { Self.withTenths(of: $0, in: level($1), after: 0) }
    return Self.withTenths(of: others, in: order, after: turn).prefix(limit).map { rows[$0].key }
  }

  /// The front rows with a waiting row in every tenth place, then the rest.
  private static func withTenths(of waiting: [Int], in front: [Int], after turn: Int) -> [Int] {
    var order = front
    var place = 0
    for row in waiting {
      while place < order.count, (turn + place) % 10 != 9 { place += 1 }
      order.insert(row, at: place)
      place += 1
    }
    return order
  }

  func priority(of row: Int64) -> Int { lists[self[row].lists[0]].terms.priority }

  /// Among the lists that have pending keys.
  var highestPriority: Int? { lists.filter { $0.ownPending > 0 }.map(\.terms.priority).max() }

  /// Pending keys of the lists of the highest priority, and of all others.
  var pendingByPriority: (highest: Int, others: Int) {
    let highest = highestPriority
    return lists.reduce(into: (0, 0)) { sums, list in
      if list.terms.priority == highest { sums.0 += list.ownPending } else { sums.1 += list.ownPending }
    }
  }

  /// As `RegistrationQueue.sampleKeys`.
  func sampleKeys(limit: Int, except taken: Set<Int64>, random: inout SplitMix64) -> [DueKey] {
    let byList = Dictionary(grouping: rows.filter(\.isOpen)) { $0.lists[0] }
    let order = byList.keys.sorted { lists[$0].name > lists[$1].name }.prefix(limit)
    guard !order.isEmpty else { return [] }
    let share = max(1, limit / order.count)
    var shares: [[DueKey]] = []
    for list in order {
      let pending = (byList[list] ?? []).filter { $0.state == .pending }
      guard let first = pending.first, let last = pending.last else { continue }
      var found: [DueKey] = []
      var seen = taken.union(awaited)
      func take(from place: Int64, atMost count: Int) {
        let end = found.count + count
        for row in pending where row.number >= place && found.count < end {
          if seen.insert(row.number).inserted { found.append(row.key) }
        }
      }
      for _ in 0..<share / 2 {
        take(from: first.number + Int64(random.unit() * Double(last.number - first.number + 1)), atMost: 1)
      }
      take(from: first.number, atMost: share - found.count)
      shares.append(found)
    }
    let longest = shares.map(\.count).max() ?? 0
    return (0..<longest).flatMap { turn in shares.compactMap { turn < $0.count ? $0[turn] : nil } }
  }

  /// As `RegistrationQueue.secondsUntilDue`.
  func secondsUntilDue(now: Seconds) -> Seconds? {
    let clock = Self.clock(now)
    var next: Int64?
    for index in rows.indices where rows[index].state == .retrying && rows[index].due > clock {
      next = min(next ?? .max, rows[index].due)
    }
    return next.map { Double($0 - clock) / 1_000 }
  }

  /// As `RegistrationQueue.registeredKey`, by a wall clock that was not set.
  func registeredKey(since: Timestamp, by registrar: Int64) -> RegisteredKey? {
    let recent = lists.indices.reversed().lazy.filter { list in
      rows.contains { $0.state == .registered && $0.lists.contains(list) }
    }
    for list in recent.prefix(20) {
      let own = rows.filter { $0.lists[0] == list }
      let firstPending = own.first { $0.state == .pending }?.number ?? .max
      let found = own.last { row in
        row.number < firstPending && row.state == .registered && row.registrar == registrar
          && (row.finishedAt ?? since) >= since
      }
      if let found { return RegisteredKey(key: found.key, at: found.finishedAt ?? since) }
    }
    return nil
  }

  static func clock(_ now: Seconds) -> Int64 { Int64((now * 1_000).rounded(.down)) }

  // MARK: - Writing

  /// As `RegistrationQueue.record`.
  mutating func record(_ results: [KeyResult], now: Seconds) {
    for result in results { record(result, now: now) }
    commit()
  }

  private mutating func record(_ result: KeyResult, now: Seconds) {
    let index = Int(result.row) - 1
    let old = rows[index].state
    if result.decision == .charge || result.decision == .spare {
      guard old == .retrying else { return }
      if result.decision == .charge { rows[index].attempts += 1 } else { rows[index].due = Self.clock(now) }
      return
    }
    let new: KeyState =
      switch result.decision {
      case .registered: .registered
      case .failed: old == .cancelled ? .cancelled : .failed
      case .retry, .postpone, .lookAgain, .charge, .spare: old.isFinal ? old : .retrying
      }
    if old.isFinal, new == old, new != .registered { return }
    var wait: Int64 = 0
    switch result.decision {
    case .retry(let due), .postpone(let due): wait = due.milliseconds - result.at.milliseconds
    case .lookAgain(let due):
      wait = due.milliseconds - result.at.milliseconds
      rows[index].wasDenied = true
    case .registered, .failed, .charge, .spare: rows[index].wasDenied = false
    }
    switch result.decision {
    case .retry, .postpone: break
    default: rows[index].attempts += 1
    }
    rows[index].due = Self.clock(now) + wait
    rows[index].finishedAt = new.isFinal ? max(result.at, result.sentAt) : nil
    rows[index].settledAt = now
    rows[index].registrar = new == .registered ? result.registrar : nil
    rows[index].status = result.httpStatus
    move(index, to: new)
  }
}
