import PacingSimulation
import RateLimit
import Registration
import RegistrationCore

/// The daemon's core (pacer, holds and keys together) as a client of the simulation, with a queue in memory in place
/// of the one on disk.
final class DaemonClient: SimulatedClient {
  private var core: Core
  private let workers: Int
  private var keys: [DueKey]
  private var due: [Int64: Seconds] = [:]
  private var firstOpen = 0
  private var flying: [Int: Job] = [:]
  /// Handed out, and not sent yet by the simulation.
  private var handedOut: [Job] = []
  private var read: KeyRead?
  private var wake: Seconds = -.infinity
  /// The status that the API answers for some keys in place of 201.
  private let bad: [Int64: Int]
  private(set) var failed: Set<Int64> = []
  /// Keys that were answered 403 at least once.
  private(set) var refusedRows: Set<Int64> = []
  private(set) var holds: [Holds.Reason] = []

  init(_ scenario: Scenario, seed: UInt64, bad: [Int64: Int] = [:], maxAttempts: Int = 8) {
    workers = scenario.workers
    self.bad = bad
    let pacer = PacerSettings(workers: workers, reserve: scenario.reserve)
    let retry = RetryPolicy(maxAttempts: maxAttempts, firstDelay: 1, maxDelay: 300)
    core = Core(
      pacer: Pacer(settings: pacer, learned: nil, seed: seed, now: 0), holds: Holds(retry: retry, seed: seed),
      settings: CoreSettings(pacer: pacer, retry: retry), at: Moment(now: 0, wall: Timestamp(milliseconds: 0)))
    keys = (0..<scenario.keys).map {
      DueKey(row: Int64($0), id: AppKeyID(high: 0, low: UInt64($0)), attempts: 0, state: .pending)
    }
  }

  func next(now: Seconds, backlog: Int) -> ClientDecision {
    guard flying.count < workers else { return .awaitReply }
    if handedOut.isEmpty {
      take(.tick(open: backlog + core.inHand), now: now)
      while let read {
        supply(read, now)
        take(.tick(open: backlog + core.inHand), now: now)
      }
    }
    if !handedOut.isEmpty { return .send }
    return wake > now ? .wait(until: wake) : .awaitReply
  }

  func sent(_ request: Int, now: Seconds) {
    flying[request] = handedOut.removeFirst()
  }

  func received(_ reply: ServerReply, for request: Int, attempt: Int, now: Seconds) -> Afterwards {
    guard let job = flying.removeValue(forKey: request) else { return .requeue }
    let status = reply.status == 201 ? bad[job.key.row] ?? 201 : reply.status
    if status == 403 { refusedRows.insert(job.key.row) }
    let (verdict, kind): (Verdict, PacedReply.Kind) =
      switch status {
      case 201: (.registered(status: 201), .answered)
      case 429: (.throttled, .throttled)
      case 403: (.forbidden(title: "Forbidden", detail: nil), .refused)
      default: (.unsettled(status: status, title: "Service Unavailable", detail: nil), .serverError)
      }
    let reading = RateLimitReading(
      limit: reply.limit, period: reply.period, remaining: reply.remaining, reset: reply.reset, date: reply.date)
    let done = failed.count
    take(.reply(Answer(verdict, paced: PacedReply(kind: kind, reading: reading)), order: job.order), now: now)
    // A key that failed is done with too; which request it came of does not matter to the simulation's count.
    let more = failed.count - done
    if status == 201, !job.isKnownGood { return .done(others: more) }
    return more > 0 ? .done(others: more - 1) : .requeue
  }

  private func supply(_ read: KeyRead, _ now: Seconds) {
    self.read = nil
    while firstOpen < keys.count, keys[firstOpen].state.isFinal { firstOpen += 1 }
    let open = keys[firstOpen...].filter { !$0.state.isFinal && !read.except.contains($0.row) }
    let ready = open.filter { due[$0.row, default: 0] <= now }
    let later = open.compactMap { due[$0.row] }.filter { $0 > now }.min()
    take(
      .keys(
        KeyPage(
          Array(ready.prefix(256)), isAll: ready.count <= 256, nextDue: later, generation: read.generation)), now: now)
  }

  private func take(_ event: Event, now: Seconds) {
    for action in core.take(event, at: Moment(now: now, wall: Timestamp(milliseconds: Int64(now * 1_000)))) {
      switch action {
      case .send(let job): handedOut.append(job)
      case .record(let results): record(results, now: now)
      case .read(let read): self.read = read
      case .wake(let at): wake = at
      case .tell(.holdBegan(let hold)): holds.append(hold.reason)
      case .tell: break
      }
    }
  }

  private func record(_ results: [KeyResult], now: Seconds) {
    for result in results {
      let row = Int(result.row)
      switch result.decision {
      case .registered: keys[row].state = .registered
      case .failed:
        keys[row].state = .failed
        failed.insert(result.row)
      case .retry(let at), .postpone(let at): due[result.row] = Double(at.milliseconds) / 1_000
      case .lookAgain(let at):
        keys[row].attempts += 1
        keys[row].isDenied = true
        due[result.row] = Double(at.milliseconds) / 1_000
      case .charge: keys[row].attempts += 1
      case .spare: due[result.row] = nil
      }
    }
    take(.committed(results), now: now)
  }
}
