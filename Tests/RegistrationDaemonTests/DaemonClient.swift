import PacingSimulation
import RateLimit
import Registration
import RegistrationAPI
import RegistrationDaemon
import RegistrationQueue

/// The daemon's scheduler (pacer, holds and keys together) as a client of the simulation, with a queue in memory in place
/// of the one on disk.
final class DaemonClient: SimulatedClient {
  private var scheduler: Scheduler
  private let workers: Int
  private var keys: [DueKey]
  private var due: [Int64: Seconds] = [:]
  private var firstOpen = 0
  private var flying: [Int: Scheduler.Assignment] = [:]
  private var next: Scheduler.Assignment?
  /// Keys that the API refuses whatever the credentials.
  private let guilty: Set<Int64>
  private(set) var failed: Set<Int64> = []
  /// Keys that were answered 403 at least once.
  private(set) var refusedRows: Set<Int64> = []
  private(set) var holds: [Holds.Reason] = []

  init(_ scenario: Scenario, seed: UInt64, guilty: Set<Int64> = []) {
    workers = scenario.workers
    self.guilty = guilty
    scheduler = Scheduler(
      pacer: Pacer(
        settings: PacerSettings(workers: workers, reserve: scenario.reserve), learned: nil, seed: seed, now: 0),
      holds: Holds(retry: RetryPolicy(maxAttempts: 8, firstDelay: 1, maxDelay: 300), seed: seed))
    keys = (0..<scenario.keys).map {
      DueKey(row: Int64($0), id: AppKeyID(high: 0, low: UInt64($0)), attempts: 0, state: .pending)
    }
  }

  func next(now: Seconds, backlog: Int) -> ClientDecision {
    guard flying.count < workers else { return .awaitReply }
    if scheduler.wantsKeys { supply(now) }
    var answer = scheduler.next(now: now, backlog: backlog, wall: wall(now))
    if case .waitForEvent = answer, scheduler.wantsKeys {
      supply(now)
      answer = scheduler.next(now: now, backlog: backlog, wall: wall(now))
    }
    settle(scheduler.takeUndelivered(), now: now)
    switch answer {
    case .send(let assignment):
      next = assignment
      return .send
    case .wait(let until): return .wait(until: until)
    case .waitForEvent: return .awaitReply
    }
  }

  func sent(_ request: Int, now: Seconds) {
    flying[request] = next
    next = nil
  }

  func received(_ reply: ServerReply, for request: Int, attempt: Int, now: Seconds) -> Afterwards {
    guard let assignment = flying.removeValue(forKey: request) else { return .requeue }
    var status = reply.status
    if status == 201, guilty.contains(assignment.job.key.row) { status = 403 }
    if status == 403 { refusedRows.insert(assignment.job.key.row) }
    let (verdict, kind): (Verdict, PacedReply.Kind) =
      switch status {
      case 201: (.registered(status: 201), .answered)
      case 429: (.throttled, .throttled)
      case 403: (.forbidden(title: "Forbidden", detail: nil), .refused)
      default: (.unsettled(status: status, title: "Service Unavailable", detail: nil), .serverError)
      }
    let reading = RateLimitReading(
      limit: reply.limit, period: reply.period, remaining: reply.remaining, reset: reply.reset, date: reply.date)
    let exchange = Exchange(
      verdict: verdict, paced: PacedReply(kind: kind, reading: reading), status: status, duration: 0.1)
    let settlement = scheduler.receive(exchange, for: assignment, now: now, wall: wall(now))
    let done = failed.count
    settle(settlement, now: now)
    // A key that failed is done with too; which request it came of does not matter to the simulation's count.
    let more = failed.count - done
    if status == 201, !assignment.job.isKnownGood { return .done(others: more) }
    return more > 0 ? .done(others: more - 1) : .requeue
  }

  private func supply(_ now: Seconds) {
    while firstOpen < keys.count, keys[firstOpen].state.isFinal { firstOpen += 1 }
    let taken = scheduler.taken
    let open = keys[firstOpen...].filter { !$0.state.isFinal && !taken.contains($0.row) }
    let ready = open.filter { due[$0.row, default: 0] <= now }
    let later = open.compactMap { due[$0.row] }.filter { $0 > now }.min()
    scheduler.supply(
      Array(ready.prefix(256)), isAll: ready.count <= 256, nextDue: later, generation: scheduler.generation)
  }

  private func settle(_ settlement: Scheduler.Settlement, now: Seconds) {
    for result in settlement.results {
      let row = Int(result.row)
      switch result.verdict {
      case .registered: keys[row].state = .registered
      case .failed:
        keys[row].state = .failed
        failed.insert(result.row)
      case .retry(let at):
        keys[row].attempts += 1
        due[result.row] = Double(at.milliseconds) / 1_000
      case .postpone(let at): due[result.row] = Double(at.milliseconds) / 1_000
      case .lookAgain(let at):
        keys[row].attempts += 1
        keys[row].isDenied = true
        due[result.row] = Double(at.milliseconds) / 1_000
      case .refund:
        keys[row].attempts -= 1
        due[result.row] = nil
      }
    }
    scheduler.recorded(settlement.results)
    for case .holdBegan(let hold) in settlement.events { holds.append(hold.reason) }
  }

  private func wall(_ now: Seconds) -> Timestamp { Timestamp(milliseconds: Int64(now * 1_000)) }
}
