// The queue as its documentation says it is: rows, lists in order, waits. What is here is on the disk.

import RateLimit
package import Registration

package struct ModelQueue: Sendable {
  package struct Row: Sendable {
    package let number: Int64
    package let nature: Nature
    var lists: [Int]
    package fileprivate(set) var state = KeyState.pending
    package fileprivate(set) var attempts = 0
    /// Milliseconds of the clock that nobody can set.
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
    var isCancelled = false
    /// Keys of other lists that it names again, and those of them that were put back to pending for it.
    fileprivate(set) var shared = 0
    fileprivate(set) var requeued = 0
  }

  package private(set) var rows: [Row] = []
  private(set) var lists: [List] = []
  private var counts = [Int](repeating: 0, count: KeyState.allCases.count)

  package init() {}

  package var open: Int { counts[KeyState.pending.rawValue] + counts[KeyState.retrying.rawValue] }
  package subscript(number: Int64) -> Row { rows[Int(number) - 1] }

  /// The counters agree with the rows.
  var addsUp: Bool {
    counts.reduce(0, +) == rows.count
      && KeyState.allCases.allSatisfy { state in counts[state.rawValue] == rows.count { $0.state == state } }
  }

  private mutating func move(_ index: Int, to state: KeyState) {
    counts[rows[index].state.rawValue] -= 1
    counts[state.rawValue] += 1
    rows[index].state = state
  }

  // MARK: - Lists

  /// The rows of earlier lists that a list names again, by their index.
  func rowsNamed(by plan: ListPlan) -> [Int] {
    plan.shared.compactMap { rows.isEmpty ? nil : Int($0 * Double(rows.count)) }
  }

  mutating func add(_ plan: ListPlan, now: Seconds) {
    let shared = rowsNamed(by: plan)
    let list = lists.count
    lists.append(List(name: plan.name))
    for nature in plan.natures {
      rows.append(Row(number: Int64(rows.count + 1), nature: nature, lists: [list]))
      counts[KeyState.pending.rawValue] += 1
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
    rows[index].finishedAt = nil
    rows[index].requeuedAt = now
  }

  mutating func retryFailed(now: Seconds) {
    for index in rows.indices where rows[index].state == .failed {
      requeue(index, now: now)
      lists[rows[index].lists[0]].isCancelled = false
    }
  }

  mutating func cancel(_ list: Int) {
    lists[list].isCancelled = true
    for index in rows.indices where rows[index].isOpen && rows[index].lists.contains(list) {
      if rows[index].lists.allSatisfy({ lists[$0].isCancelled }) { move(index, to: .cancelled) }
    }
  }

  // MARK: - Reading

  /// As `RegistrationQueue.dueKeys`.
  func dueKeys(limit: Int, except taken: Set<Int64>, horizon: Seconds, now: Seconds) -> [DueKey] {
    let clock = Self.clock(now)
    let free = rows.filter { $0.isOpen && !taken.contains($0.number) }
    let waiting = free.filter { $0.state == .retrying }.sorted { ($0.due, $0.number) < ($1.due, $1.number) }
    let due = waiting.filter { $0.due <= clock } + waiting.filter { $0.due > clock + Int64(horizon * 1_000) }
    let pending = free.filter { $0.state == .pending }
      .sorted { (lists[$0.lists[0]].name, $0.number) < (lists[$1.lists[0]].name, $1.number) }
    var order: [Row] = []
    for turn in 0..<max(due.count, pending.count) {
      if turn < due.count { order.append(due[turn]) }
      if turn < pending.count { order.append(pending[turn]) }
    }
    return order.prefix(limit).map(\.key)
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
      var seen = taken
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
    return rows.filter { $0.state == .retrying && $0.due > clock }.map { Double($0.due - clock) / 1_000 }.min()
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
  mutating func record(_ result: KeyResult, now: Seconds) {
    let index = Int(result.row) - 1
    let old = rows[index].state
    if result.decision == .refund {
      guard old == .retrying else { return }
      rows[index].attempts = max(0, rows[index].attempts - 1)
      rows[index].due = Self.clock(now)
      return
    }
    let new: KeyState =
      switch result.decision {
      case .registered: .registered
      case .failed: old == .cancelled ? .cancelled : .failed
      case .retry, .postpone, .lookAgain, .refund: old.isFinal ? old : .retrying
      }
    if old.isFinal, new == old, new != .registered { return }
    var wait: Int64 = 0
    switch result.decision {
    case .retry(let due), .postpone(let due): wait = due.milliseconds - result.at.milliseconds
    case .lookAgain(let due):
      wait = due.milliseconds - result.at.milliseconds
      rows[index].wasDenied = true
    case .registered, .failed, .refund: rows[index].wasDenied = false
    }
    if case .postpone = result.decision {} else { rows[index].attempts += 1 }
    rows[index].due = Self.clock(now) + wait
    rows[index].finishedAt = new.isFinal ? max(result.at, result.sentAt) : nil
    rows[index].settledAt = now
    rows[index].registrar = new == .registered ? result.registrar : nil
    move(index, to: new)
  }
}
