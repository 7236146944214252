// Whose turn it is: lists of higher priority go first; those that wait behind them get every tenth request.

import RegistrationCore

struct TurnWatch {
  /// Requests since both kinds of lists wait, and since the lists in front have the same priority.
  private var requests = 0
  /// Those for lists of lower priority.
  private var others = 0
  /// Requests since the last one for a list of lower priority.
  private var inARow = 0
  private var priority: Int?
  /// Keys were read since that became the highest priority. The rest of an older page has its lists in the order of then.
  private var isReadAnew = false
  /// Rows sent without a result yet: sending one again, for example after a 429, takes no turn.
  private var sent: Set<Int64> = []

  /// Keys that may have come back since keys were last read: at most one for each worker.
  private static let margin = 64
  /// One request in ten is for a waiting list, and keys are read at any time.
  private static let most = 20

  mutating func start() { self = TurnWatch() }
  mutating func interrupted() { (requests, others, inARow) = (0, 0, 0) }
  /// A canary takes no turn either, but has had its own.
  mutating func interrupted(by canary: Job) {
    interrupted()
    if !canary.isKnownGood { sent.insert(canary.key.row) }
  }

  mutating func read() { isReadAnew = true }
  mutating func settled(_ row: Int64) { sent.remove(row) }

  /// Checks an ordinary request.
  mutating func broken(bySending job: Job, _ queue: ModelQueue) -> Violation? {
    let highest = queue.highestPriority
    // A key may also be tried again of a list of higher priority that has no pending keys.
    let isOther = queue.priority(of: job.key.row) < highest ?? 0
    let isNew = sent.insert(job.key.row).inserted
    if priority != highest { (priority, isReadAnew) = (highest, false) }
    guard bothWait(queue), isReadAnew else {
      interrupted()
      return nil
    }
    requests += 1
    if isOther { inARow = 0 } else if isNew { inARow += 1 }
    // A retried key gets its turn whatever its list.
    if isOther, isNew, job.key.state == .pending { others += 1 }
    let what = "\(others) of \(requests) requests are for lists of lower priority, and none of the last \(inARow)"
    if inARow > Self.most { return Violation(promise: "waiting lists get a tenth of the requests", detail: what) }
    if others > requests / 10 + 3 { return Violation(promise: "a higher priority goes first", detail: what) }
    return nil
  }

  /// Whether many keys of both kinds have not had their turn. Keys back after a 429 have: they wait behind all that
  /// was read ahead.
  private func bothWait(_ queue: ModelQueue) -> Bool {
    var (first, waiting) = queue.pendingByPriority
    guard min(first, waiting) > Self.margin else { return false }
    let highest = queue.highestPriority
    for row in sent where queue[row].state == .pending {
      if queue.priority(of: row) == highest { first -= 1 } else { waiting -= 1 }
    }
    return min(first, waiting) > Self.margin
  }
}
