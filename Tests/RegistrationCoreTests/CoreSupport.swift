import RateLimit
import Registration

@testable import RegistrationCore

/// What a core wanted in one go, by kind.
struct Wanted {
  var sends: [Job] = []
  var results: [KeyResult] = []
  var read: KeyRead?
  var wake: Seconds?
  var notices: [Notice] = []

  init(_ actions: [Action]) {
    for action in actions {
      switch action {
      case .send(let job): sends.append(job)
      case .record(let results): self.results += results
      case .read(let read): self.read = read
      case .wake(let at): wake = at
      case .tell(let notice): notices.append(notice)
      }
    }
  }

  var began: [Holds.Reason] { notices.compactMap { if case .holdBegan(let hold) = $0 { hold.reason } else { nil } } }
  var ended: [Holds.Reason] { notices.compactMap { if case .holdEnded(let reason) = $0 { reason } else { nil } } }
  var asked: [AskedToWait?] {
    notices.compactMap { if case .askedToWait(let asked) = $0 { .some(asked) } else { nil } }
  }
}

/// A core with a queue in memory beside it. Keys are read and results are kept at once unless a test does it itself.
struct CoreBench {
  static let start = Timestamp(milliseconds: 1_000_000)

  var core: Core
  var keys: [Int64: DueKey]
  var due: [Int64: Seconds] = [:]
  var outcomes: [Int64: KeyResult.Decision] = [:]
  /// The read that the core waits for.
  var read: KeyRead?

  init(
    keys count: Int, workers: Int = 1, attempts: Int = 8, canary: DueKey? = nil, age: Double = 60, pause: Pause? = nil,
    asked: AskedToWait? = nil, seed: UInt64 = 1, assume: Allowance? = Allowance(count: 1_000_000, period: 1)
  ) {
    let pacer = PacerSettings(workers: workers, assume: assume)
    let retry = RetryPolicy(maxAttempts: attempts, firstDelay: 1, maxDelay: 300)
    core = Core(
      pacer: Pacer(settings: pacer, learned: nil, seed: seed, now: 0), holds: Holds(retry: retry, seed: seed),
      settings: CoreSettings(
        pacer: pacer, retry: retry, registrar: 1,
        canary: canary.map { RegisteredKey(key: $0, at: Self.start.adding(seconds: -age)) }),
      pause: pause, asked: asked, at: Self.moment(0))
    keys = Dictionary(uniqueKeysWithValues: (1...Int64(max(1, count))).prefix(count).map { ($0, Self.key($0)) })
  }

  static func key(_ row: Int64, attempts: Int = 0, state: KeyState = .pending) -> DueKey {
    DueKey(row: row, id: AppKeyID(high: 0, low: UInt64(row)), attempts: attempts, state: state)
  }

  static func moment(_ now: Seconds) -> Moment { Moment(now: now, wall: start.adding(seconds: now)) }

  mutating func take(_ event: Event, now: Seconds) -> Wanted { Wanted(core.take(event, at: Self.moment(now))) }

  /// A tick, with whatever is read for it.
  mutating func tick(now: Seconds) -> Wanted {
    var wanted = take(.tick(open: keys.count), now: now)
    note(wanted)
    while let read {
      supply(read, now: now)
      let more = take(.tick(open: keys.count), now: now)
      note(more)
      wanted.sends += more.sends
      wanted.results += more.results
      wanted.notices += more.notices
      wanted.wake = more.wake ?? wanted.wake
    }
    return wanted
  }

  mutating func reply(_ verdict: Verdict, to job: Job, wait: Seconds? = nil, now: Seconds) -> Wanted {
    let kind: PacedReply.Kind =
      switch verdict {
      case .registered: .answered
      case .throttled: .throttled
      case .unsettled, .unanswered: .serverError
      default: .refused
      }
    let reading = wait.flatMap {
      RateLimitReading(headers: [(name: "Retry-After", value: "\(Int($0))")], body: nil, wallClock: 0)
    }
    let wanted = take(
      .reply(Answer(verdict, paced: PacedReply(kind: kind, reading: reading)), order: job.order), now: now)
    note(wanted)
    return wanted
  }

  /// The results are on disk.
  mutating func commit(_ results: [KeyResult], now: Seconds) {
    for result in results {
      let row = result.row
      switch result.decision {
      case .registered, .failed:
        outcomes[row] = result.decision
        keys[row] = nil
      case .lookAgain(let at):
        keys[row]?.attempts += 1
        keys[row]?.isDenied = true
        due[row] = at.seconds(since: Self.start)
      case .retry(let at), .postpone(let at): due[row] = at.seconds(since: Self.start)
      case .charge: keys[row]?.attempts += 1
      case .spare: due[row] = now
      }
    }
    if !results.isEmpty { note(take(.committed(results), now: now)) }
  }

  mutating func supply(_ read: KeyRead, now: Seconds) {
    self.read = nil
    let open = keys.values.filter { !read.except.contains($0.row) }.sorted { $0.row < $1.row }
    let ready = open.filter { due[$0.row, default: 0] <= now }
    let later = open.compactMap { due[$0.row] }.filter { $0 > now }.min()
    note(take(.keys(KeyPage(ready, isAll: true, nextDue: later, generation: read.generation)), now: now))
  }

  private mutating func note(_ wanted: Wanted) { if let read = wanted.read { self.read = read } }

  /// Goes on, one request at a time, until every key has its outcome; nil when it does not come to that.
  mutating func outcomes(_ answer: (Job) -> Verdict) -> [Int64: KeyResult.Decision]? {
    var now = 0.0
    for _ in 0..<2_000 where !keys.isEmpty {
      let wanted = tick(now: now)
      commit(wanted.results, now: now)
      for job in wanted.sends { commit(reply(answer(job), to: job, now: now).results, now: now) }
      if wanted.sends.isEmpty { now = max(now + 0.01, wanted.wake ?? now + 1) }
    }
    return keys.isEmpty ? outcomes : nil
  }
}
