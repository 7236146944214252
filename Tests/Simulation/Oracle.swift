// What must hold after every step, whatever happened. Learns only of the core's events and actions.

import RateLimit
import Registration
import RegistrationCore

struct Oracle {
  /// The state when the core was asked for requests.
  struct Before {
    var obstacle: String?
    var isOpen: Bool
    var hold: Holds.Reason?
    /// When the pacer's gate opens; nil when it is open.
    var opensAt: Seconds?

    init(_ core: Core, open: Int, now: Seconds) {
      obstacle =
        core.isStopping ? "stopping" : core.pause != nil ? "paused" : core.diskFault.map { "disk: \($0.detail)" }
      isOpen = core.holds.isOpen
      hold = core.holds.hold?.reason
      opensAt = core.pacer.standing(now: now, backlog: max(1, open - core.inHand)).opensAt
    }
  }

  /// Replies about one key, from the API or others.
  struct Words {
    var unknown: [Seconds] = []
    var others = 0
    /// For each of the last two 403s: requests sent before it came, and the latest success by then.
    var forbidden: [(sent: Int, success: Int)] = []
    var last: Verdict?
    var lastOrder = 0
    var lastAt: Seconds = -.infinity
    /// Seconds that the last reply's server asked for, an hour at most.
    var lastWait: Seconds = 0
    /// Replies that may have cost an attempt, while nothing was held, less those that did not count.
    var failures = 0
    /// The first request of this process that got a reply for which a key may be put off. None once the API has
    /// answered for the key.
    var firstTrouble: Int?
  }

  private var words: [Int64: Words] = [:]
  private var registrar: Int64 = 1
  /// Changes of credentials and endpoint since the process started.
  private(set) var epoch = 0
  /// Rows whose attempt counts once the API answers.
  private(set) var uncounted: [Int64] = []
  /// The same, and it has answered since.
  private var countable: [Int64] = []
  /// The latest requests that succeeded, and the latest that the API answered at all: up to three of each.
  private var successes: [(order: Int, row: Int64)] = []
  private var answers: [(order: Int, row: Int64)] = []
  /// The latest requests that the API answered or refused with 403.
  private(set) var spoke: [(order: Int, row: Int64)] = []
  /// Keys put off since the API last spoke.
  var putOff = 0
  /// Until when a server has asked everybody to wait.
  private var quietUntil: Seconds = -.infinity
  /// The same, but an answer does not end it: a hold may wait that long.
  private(set) var askedUntil: Seconds = -.infinity
  /// Results not yet reported to the core as on disk.
  private(set) var unwritten: [Int64: Int] = [:]
  private var probesOut: Set<Int> = []
  /// When and by whom each row was last registered, according to replies.
  private var registered: [Int64: (at: Seconds, by: Int64)] = [:]
  /// Keys that failed for lack of attempts, and when their last reply came.
  private var exhausted: [Int64: Seconds] = [:]
  var isClockSet = false

  // MARK: - Input

  /// Once an inquiry has ended, its canary blocks no other.
  mutating func saw(_ before: Before) {
    if before.isOpen { probesOut = [] }
  }

  mutating func started(_ asked: AskedToWait?, registrar: Int64, now: Seconds) {
    self.registrar = registrar
    epoch = 0
    held()
    successes = []
    answers = []
    unwritten = [:]
    probesOut = []
    spoke = []
    putOff = 0
    for row in words.keys {
      words[row]?.forbidden = []
      words[row]?.firstTrouble = nil
    }
    // Another registrar's wait is ignored.
    quietUntil =
      asked.map { asked in
        asked.registrar == registrar && asked.seconds > Holds.longestInquiryShown
          ? now + min(asked.seconds, 3_600) : -.infinity
      } ?? -.infinity
    askedUntil = quietUntil
  }

  mutating func reloaded(registrar: Int64, isNew: Bool) {
    self.registrar = registrar
    if isNew {
      (quietUntil, askedUntil) = (-.infinity, -.infinity)
      epoch += 1
    }
  }

  mutating func told(_ results: [KeyResult]) {
    for result in results where result.decision != .charge && result.decision != .spare {
      unwritten[result.row] = (unwritten[result.row] ?? 1) == 1 ? nil : (unwritten[result.row] ?? 1) - 1
    }
  }

  /// Takes in a reply.
  ///
  /// - Parameter isOpen: Neither a hold nor an inquiry is in force.
  mutating func hear(_ reply: ModelAPI.Reply, to job: Job, sent: Int, isOpen: Bool, now: Seconds) {
    probesOut.remove(job.order)
    let row = job.key.row
    let isOutdated = job.epoch != epoch
    if case .registered = reply.verdict, !job.isKnownGood { registered[row] = (now, job.registrar ?? registrar) }
    if isOutdated {
      if case .registered = reply.verdict { return }
      words[row, default: Words()].last = .stale
      return
    }
    let before = words[row]
    defer { if job.isKnownGood { words[row] = before } }
    var known = words[row, default: Words()]
    known.last = reply.verdict
    known.lastOrder = job.order
    known.lastAt = now
    known.lastWait = reply.paced.kind == .serverError ? min(reply.paced.reading?.retryAfter ?? 0, 3_600) : 0
    switch reply.verdict {
    case .registered:
      note(job, in: &successes)
      known.firstTrouble = nil
      answered(job)
    case .failed(let status, _, _):
      known.firstTrouble = nil
      if status == 404 { known.unknown.append(now) } else { known.others += 1 }
      answered(job)
    case .forbidden:
      known.forbidden.append((sent, successes.filter { $0.row != row }.map(\.order).max() ?? 0))
      if known.forbidden.count > 2 { known.forbidden.removeFirst() }
      known.firstTrouble = known.firstTrouble ?? job.order
      said(job)
    case .unsettled, .unanswered:
      if let wait = reply.paced.reading?.retryAfter, reply.paced.kind == .serverError {
        quietUntil = max(quietUntil, now + min(wait, 3_600))
        askedUntil = max(askedUntil, quietUntil)
      }
      if isOpen { known.failures += 1 }
      known.firstTrouble = known.firstTrouble ?? job.order
    case .unauthorized, .misdirected: known.firstTrouble = known.firstTrouble ?? job.order
    case .throttled, .stale: break
    }
    words[row] = known
  }

  private mutating func answered(_ job: Job) {
    note(job, in: &answers)
    said(job)
    countable += uncounted
    uncounted = []
    quietUntil = -.infinity
  }

  /// The API spoke, whatever it said.
  private mutating func said(_ job: Job) {
    note(job, in: &spoke)
    putOff = 0
  }

  /// Keeps the latest request, and the latest of another key.
  private func note(_ job: Job, in list: inout [(order: Int, row: Int64)]) {
    list.removeAll { $0.row == job.key.row && $0.order < job.order }
    list.append((job.order, job.key.row))
    list.sort { $0.order > $1.order }
    if list.count > 3 { list.removeLast() }
  }

  /// A hold has begun, or the process has ended: what was not counted before is not.
  mutating func held() {
    for row in uncounted + countable { words[row]?.failures -= 1 }
    (uncounted, countable) = ([], [])
  }

  /// Where nothing is held or in question, what an answer has made count is counted.
  var brokenCount: Violation? {
    countable.first.map {
      Violation(promise: "attempts without an answer count", detail: "an attempt of key \($0) was not counted")
    }
  }

  private mutating func settled(_ row: Int64) {
    uncounted.removeAll { $0 == row }
    countable.removeAll { $0 == row }
  }

  // MARK: - Checks

  mutating func broken(
    bySending job: Job, from process: DaemonRun.Process?, _ queue: ModelQueue, _ before: Before, now: Seconds
  ) -> Violation? {
    guard let process else { return nil }
    let row = job.key.row
    let what = "key \(row), request \(job.order)"
    if let obstacle = before.obstacle {
      return Violation(promise: "nothing is sent while it must not", detail: "\(what): \(obstacle)")
    }
    if !before.isOpen, !job.isProbe {
      return Violation(promise: "only canaries are sent in a hold", detail: what)
    }
    if job.isProbe {
      if !probesOut.isEmpty { return Violation(promise: "one canary at a time", detail: what) }
      probesOut.insert(job.order)
    }
    if before.hold == .outage, now < quietUntil - 0.001 {
      return Violation(
        promise: "a Retry-After is kept to", detail: "\(what): \((quietUntil - now).shown) s too early")
    }
    if let opens = before.opensAt, opens > now + 0.001 {
      return Violation(promise: "nothing is sent into a closed gate", detail: "\(what): opens at \(opens.shown)")
    }
    if job.epoch != epoch || (job.registrar ?? registrar) != registrar {
      return Violation(
        promise: "a request is of the endpoint and the credentials in force",
        detail: "\(what): \(String(describing: job.registrar)), not \(registrar)")
    }
    if job.isKnownGood { return brokenCanary(job, now: now) }
    if process.flights.values.contains(where: { $0.key.row == row && !$0.isKnownGood }) {
      return Violation(promise: "a key is in flight once", detail: what)
    }
    if unwritten[row] != nil {
      return Violation(promise: "a key has one place", detail: "\(what) has a result on its way")
    }
    switch queue[row].state {
    case .registered, .failed: return Violation(promise: "what has its outcome is not sent", detail: what)
    case .cancelled where process.changesToTell == 0:
      return Violation(promise: "what is cancelled is not sent", detail: what)
    case .pending, .retrying:
      guard queue.awaited.contains(row) else { return nil }
      return Violation(promise: "what is cancelled is not sent", detail: "\(what), back from its flight")
    default: return nil
    }
  }

  private func brokenCanary(_ job: Job, now: Seconds) -> Violation? {
    let what = "key \(job.key.row), request \(job.order)"
    guard job.isProbe else { return Violation(promise: "a known key is a canary only", detail: what) }
    guard let known = registered[job.key.row] else {
      return Violation(promise: "a known key was registered", detail: what)
    }
    if known.by != registrar { return Violation(promise: "a known key is of these credentials", detail: what) }
    if !isClockSet, now > known.at + KnownKey.longestAge + 1 {
      return Violation(promise: "a known key is young", detail: "\(what): \((now - known.at).shown) s")
    }
    return nil
  }

  /// Under which an attempt may be counted.
  struct Fairness {
    /// Neither a hold nor an inquiry was in force when the reply came.
    var wasOpen: Bool
    var fewestAttempts: Int
  }

  /// Checks outcomes that the core decided.
  mutating func broken(
    by results: [KeyResult], _ apis: [ModelAPI], _ queue: ModelQueue, _ fairness: Fairness, now: Seconds
  ) -> Violation? {
    for result in results {
      let row = result.row
      let what = "key \(row): \(result.httpStatus.map(String.init) ?? "no reply")"
      if result.decision == .spare { continue }
      if result.decision == .charge {
        guard let index = countable.firstIndex(of: row) else {
          return Violation(promise: "an outage charges nobody", detail: "key \(row) was charged without an answer")
        }
        countable.remove(at: index)
        continue
      }
      guard unwritten.updateValue(1, forKey: row) == nil else {
        return Violation(promise: "a key is settled once", detail: what)
      }
      let known = words[row] ?? Words()
      switch result.decision {
      case .registered:
        // The endpoint that it names; without a number, either.
        let endpoints = result.registrar.map { [Access(registrar: $0).endpoint] } ?? Array(Access.endpoints)
        settled(row)
        if !endpoints.contains(where: { apis[$0].registered.contains(row) }) {
          return Violation(promise: "registered means confirmed", detail: what)
        }
      case .retry(let due):
        uncounted.append(row)
        if let broken = brokenCharge(known, fairness, wait: due.seconds(since: result.at), what) { return broken }
      case .failed:
        settled(row)
        if let broken = brokenFailure(result, known, fairness) { return broken }
      case .postpone(let due):
        // A 403 for which a key is put off counts for nothing.
        if case .forbidden = known.last { words[row]?.forbidden.removeLast() }
        if let broken = brokenPutOff(row, known, wait: due.seconds(since: result.at), what) { return broken }
      case .lookAgain(let due):
        words[row, default: Words()].failures += 1
        let isSecond = queue[row].key.isDenied
        if let broken = brokenLook(known, wait: due.seconds(since: result.at), isSecond: isSecond, what) {
          return broken
        }
      case .charge, .spare: break
      }
    }
    return nil
  }

  private mutating func brokenFailure(_ result: KeyResult, _ known: Words, _ fairness: Fairness) -> Violation? {
    let row = result.row
    let promise = "a key fails by the API's word only"
    switch known.last {
    case .failed(let status, _, _):
      guard status == 404 else { return nil }
      guard known.unknown.count >= 2 else { return Violation(promise: promise, detail: "key \(row): the first 404") }
      // The first may have been lost in a kill or come in a hold: what counts is the time from first to last.
      let apart = (known.unknown.last ?? 0) - (known.unknown.first ?? 0)
      return apart >= 29.9
        ? nil : Violation(promise: "the second look is later", detail: "key \(row): \(apart.shown) s")
    case .forbidden:
      guard known.forbidden.count == 2, known.forbidden[1].success > known.forbidden[0].sent,
        successes.contains(where: { $0.row != row && $0.order > known.forbidden[1].sent })
      else { return Violation(promise: promise, detail: "key \(row): 403 without another's success") }
      return nil
    case .unsettled, .unanswered:
      guard answers.contains(where: { $0.row != row && $0.order > known.lastOrder }) else {
        return Violation(promise: promise, detail: "key \(row): out of attempts, and nobody else was answered")
      }
      guard known.failures >= fairness.fewestAttempts else {
        let detail = "key \(row): after \(known.failures) failures"
        return Violation(promise: "a key is tried as often as was promised", detail: detail)
      }
      exhausted[row] = known.lastAt
      return nil
    default: return Violation(promise: promise, detail: "key \(row): \(String(describing: known.last))")
    }
  }

  /// Checks a result on its way.
  ///
  /// - Parameter attempts: Those of the key that count so far.
  mutating func broken(
    byWriting result: KeyResult, over row: ModelQueue.Row, attempts: Int, fewestAttempts: Int
  ) -> Violation? {
    if result.decision == .charge || result.decision == .spare { return nil }
    let failedAt = exhausted.removeValue(forKey: row.number)
    // A key put back to pending starts with no replies.
    if result.decision == .failed || result.decision == .registered { words[row.number] = nil }
    if row.state == .registered || row.state == .failed {
      return Violation(promise: "a key is settled once", detail: "key \(row.number) is \(row.state.name)")
    }
    guard result.decision == .failed, row.isOpen, let failedAt, row.requeuedAt < failedAt - 60,
      attempts + 1 < fewestAttempts
    else { return nil }
    return Violation(
      promise: "a key is tried as often as was promised", detail: "key \(row.number): \(attempts + 1) attempts")
  }
}

extension Holds {
  /// Longer waits, in seconds, are holds.
  static var longestInquiryShown: Seconds { 7.5 }
}
