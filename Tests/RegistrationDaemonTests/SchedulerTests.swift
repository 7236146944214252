import RateLimit
import Registration
import RegistrationAPI
import RegistrationQueue
import Testing

@testable import RegistrationDaemon

/// Whatever comes in whatever order, no key is lost and none is charged for somebody else's trouble.
@Suite struct HoldsPropertyTests {
  /// A server that is well, refuses everybody, is out, or refuses certain keys; it changes its mind at random.
  @Test(arguments: 0..<200) func noKeyIsLostAndOnlyTheGuiltyFail(seed: UInt64) throws {
    var random = SplitMix64(seed: seed)
    let guilty = Set((0..<40).filter { _ in random.unit() < 0.1 }.map(Int64.init))
    let unknown = Set(guilty.filter { _ in random.unit() < 0.4 })
    var scheduler = Scheduler(
      pacer: Pacer(
        settings: PacerSettings(workers: 4, assume: Allowance(count: 1_000_000, period: 1)), learned: nil, seed: seed,
        now: 0),
      holds: Holds(retry: RetryPolicy(maxAttempts: 2, firstDelay: 0.1, maxDelay: 1), seed: seed))
    var state: [Int64: KeyState] = Dictionary(uniqueKeysWithValues: (0..<40).map { ($0, .pending) })
    var attempts: [Int64: Int] = [:]
    var due: [Int64: Double] = [:]
    var looked: Set<Int64> = []
    var flying: [Scheduler.Assignment] = []
    var now = 0.0
    var mood = 0
    var steps = 0
    while state.values.contains(where: { !$0.isFinal }) {
      steps += 1
      try #require(steps < 200_000, "stalled at \(now) in \(scheduler.holds.state)")
      // A mood lasts until what it has caused is settled: two changes within one exchange are beyond telling apart.
      if steps % 50 == 0, flying.isEmpty, scheduler.holds.waiting == 0 {
        mood = steps > 4_000 ? 0 : random.unit() < 0.4 ? Int(random.unit() * 3) + 1 : 0
      }
      if scheduler.wantsKeys {
        let taken = scheduler.taken
        let open = state.filter { !$0.value.isFinal && !taken.contains($0.key) }.keys.sorted()
        let keys = open.filter { due[$0, default: 0] <= now }.map {
          DueKey(
            row: $0, id: AppKeyID(high: 0, low: UInt64($0)), attempts: attempts[$0, default: 0], state: .pending,
            isDenied: looked.contains($0))
        }
        let next = open.compactMap { due[$0] }.filter { $0 > now }.min()
        scheduler.supply(keys, isAll: true, nextDue: next, generation: scheduler.generation)
      }
      let wall = Timestamp(milliseconds: Int64(now * 1_000))
      var settlement = Scheduler.Settlement()
      if flying.count < 4, random.unit() < 0.7 {
        switch scheduler.next(now: now, backlog: 10, wall: wall) {
        case .send(let assignment): flying.append(assignment)
        case .wait(let until) where flying.isEmpty: now = max(now, until)
        default: if flying.isEmpty { now += 0.05 }
        }
        settlement = scheduler.takeUndelivered()
      } else if !flying.isEmpty {
        now += 0.01
        let assignment = flying.remove(at: Int(random.unit() * Double(flying.count)))
        let row = assignment.job.key.row
        let verdict: Verdict =
          switch mood {
          case 1: .forbidden(title: "Forbidden", detail: nil)
          case 2: .unsettled(status: 503, title: "Service Unavailable", detail: nil)
          case 3: .unauthorized(detail: nil)
          default:
            unknown.contains(row)
              ? .failed(status: 404, title: "Not Found", detail: "app key not found")
              : guilty.contains(row) ? .forbidden(title: "Forbidden", detail: nil) : .registered(status: 201)
          }
        settlement = scheduler.receive(Exchange(verdict), for: assignment, now: now, wall: wall)
      } else {
        now += 0.05
      }
      for result in settlement.results {
        switch result.verdict {
        case .registered: state[result.row] = .registered
        case .failed: state[result.row] = .failed
        case .retry(let time):
          attempts[result.row, default: 0] += 1
          due[result.row] = Double(time.milliseconds) / 1_000
        case .postpone(let time): due[result.row] = Double(time.milliseconds) / 1_000
        case .lookAgain(let time):
          attempts[result.row, default: 0] += 1
          looked.insert(result.row)
          due[result.row] = Double(time.milliseconds) / 1_000
        case .refund:
          attempts[result.row, default: 1] -= 1
          due[result.row] = now
        }
      }
      scheduler.recorded(settlement.results)
    }
    for (row, state) in state { #expect((state == .failed) == guilty.contains(row), "row \(row) is \(state)") }
  }
}

@Suite struct SchedulerTests {
  private let wall = Timestamp(milliseconds: 1_000_000)

  private func scheduler(keys count: Int, canary: DueKey? = nil, age: Double = 60) -> Scheduler {
    var scheduler = Scheduler(
      pacer: Pacer(
        settings: PacerSettings(workers: 4, assume: Allowance(count: 1_000_000, period: 1)), learned: nil, seed: 1,
        now: 0),
      holds: Holds(retry: RetryPolicy(maxAttempts: 8, firstDelay: 1, maxDelay: 300), seed: 1), registrar: 1,
      canary: canary.map { RegisteredKey(key: $0, at: wall.adding(seconds: -age)) }, at: Moment(now: 0, wall: wall))
    let keys = (1...count).map {
      DueKey(row: Int64($0), id: AppKeyID(high: 0, low: UInt64($0)), attempts: 0, state: .pending)
    }
    scheduler.supply(keys, isAll: true, nextDue: nil, generation: 0)
    return scheduler
  }

  private func assignment(_ scheduler: inout Scheduler, now: Double = 0) throws -> Scheduler.Assignment {
    guard case .send(let assignment) = scheduler.next(now: now, backlog: 10, wall: wall) else {
      throw Stuck()
    }
    return assignment
  }

  private struct Stuck: Error {}

  /// Goes on, one request at a time, until every key has its outcome; nil when it does not come to that.
  private func outcomes(
    _ scheduler: inout Scheduler, of count: Int, _ answer: (Job) -> Verdict
  ) -> [Int64: KeyResult.Verdict]? {
    var outcomes: [Int64: KeyResult.Verdict] = [:]
    var now = 0.0
    for _ in 0..<1_000 where outcomes.count < count {
      var settlement = Scheduler.Settlement()
      switch scheduler.next(now: now, backlog: 10, wall: wall) {
      case .send(let assignment):
        settlement = scheduler.receive(Exchange(answer(assignment.job)), for: assignment, now: now, wall: wall)
      case .wait(let until): now = max(now, until)
      case .waitForEvent: now += 1
      }
      settlement.results += scheduler.takeUndelivered().results
      for result in settlement.results { outcomes[result.row] = result.verdict }
      scheduler.recorded(settlement.results)
      readAhead((1...Int64(count)).filter { outcomes[$0] == nil }, for: &scheduler)
    }
    return outcomes.count == count ? outcomes : nil
  }

  /// Reads again what was given back to the queue, where the scheduler wants that.
  private func readAhead(_ open: some Sequence<Int64>, for scheduler: inout Scheduler) {
    guard scheduler.wantsKeys else { return }
    let taken = scheduler.taken
    let keys = open.filter { !taken.contains($0) }.map {
      DueKey(row: $0, id: AppKeyID(high: 0, low: UInt64($0)), attempts: 0, state: .pending)
    }
    scheduler.supply(keys, isAll: true, nextDue: nil, generation: scheduler.generation)
  }

  private let forbidden = Verdict.forbidden(title: "Forbidden", detail: nil)

  @Test func aCanaryThatHasBecomeBadItselfHoldsNobodyForGood() throws {
    let canary = DueKey(row: 99, id: AppKeyID(high: 1, low: 1), attempts: 1, state: .registered)
    var scheduler = scheduler(keys: 5, canary: canary)
    let outcomes = try #require(
      self.outcomes(&scheduler, of: 5) { job in
        job.key.row == 99 || job.key.row == 1 ? forbidden : .registered(status: 201)
      })
    #expect(outcomes[1] == .failed && outcomes.values.count { $0 == .registered } == 4)
  }

  @Test(arguments: 1...3) func theLastKeysAreDecidedAfterARestartToo(count: Int) throws {
    let canary = DueKey(row: 99, id: AppKeyID(high: 1, low: 1), attempts: 1, state: .registered)
    var scheduler = scheduler(keys: count, canary: canary)
    let outcomes = try #require(
      self.outcomes(&scheduler, of: count) { job in job.key.row == 99 ? .registered(status: 200) : forbidden })
    #expect(outcomes.values.allSatisfy { $0 == .failed })
  }

  @Test func refusedCredentialsAreNoKeysFaultWhateverTheCanary() {
    let canary = DueKey(row: 99, id: AppKeyID(high: 1, low: 1), attempts: 1, state: .registered)
    var scheduler = scheduler(keys: 3, canary: canary)
    #expect(outcomes(&scheduler, of: 3) { _ in forbidden } == nil)
    #expect(scheduler.holds.hold?.reason == .credentials)
  }

  /// Which keys are sent while every one of them is refused.
  private func canaries(_ scheduler: inout Scheduler, count: Int) throws -> [Int64] {
    try (0..<count).map { index in
      readAhead(1...5, for: &scheduler)
      let assignment = try assignment(&scheduler, now: Double(index) * 30)
      _ = scheduler.receive(Exchange(forbidden), for: assignment, now: Double(index) * 30, wall: wall)
      return assignment.job.key.row
    }
  }

  @Test func aCanaryIsWhatTheseCredentialsRegisteredWithinADay() throws {
    let canary = DueKey(row: 99, id: AppKeyID(high: 1, low: 1), attempts: 1, state: .registered)
    var young = scheduler(keys: 5, canary: canary)
    #expect(try canaries(&young, count: 4) == [1, 2, 3, 99])
    var old = scheduler(keys: 5, canary: canary, age: 86_400)
    #expect(try !canaries(&old, count: 6).contains(99))
    // It grows old while the daemon runs.
    var ageing = scheduler(keys: 5, canary: canary, age: 86_400 - 70)
    #expect(try canaries(&ageing, count: 6).contains(99) == false)
    var lasting = scheduler(keys: 5, canary: canary, age: 86_400 - 100)
    #expect(try canaries(&lasting, count: 4).last == 99)
    var future = scheduler(keys: 5, canary: canary, age: -1_000)
    #expect(try !canaries(&future, count: 6).contains(99))
  }

  @Test func aHoldAsksForCanariesOfEveryListAndItsEndForTheKeysInOrder() throws {
    var scheduler = scheduler(keys: 50)
    _ = try canaries(&scheduler, count: 4)
    #expect(scheduler.holds.hold?.reason == .credentials)
    #expect(scheduler.wantsKeys && scheduler.wantsSample && scheduler.taken.isEmpty)
    let sample = DueKey(row: 40, id: AppKeyID(high: 0, low: 40), attempts: 0, state: .pending)
    scheduler.supply([sample], isAll: false, nextDue: nil, generation: scheduler.generation)
    let canary = try assignment(&scheduler, now: 100)
    #expect(canary.job.key == sample && canary.job.isProbe)
    let settlement = scheduler.receive(Exchange(.registered(status: 201)), for: canary, now: 100, wall: wall)
    #expect(settlement.events == [.holdEnded(.credentials)])
    #expect(scheduler.wantsKeys && !scheduler.wantsSample && scheduler.taken == [40])
  }

  @Test func whatOldCredentialsRegisterIsNoCanaryForNewOnes() throws {
    var scheduler = scheduler(keys: 6)
    let old = try assignment(&scheduler)
    _ = scheduler.reloaded(
      pacer: PacerSettings(workers: 4, assume: Allowance(count: 1_000_000, period: 1)),
      retry: RetryPolicy(maxAttempts: 8, firstDelay: 1, maxDelay: 300), registrar: 2, canary: nil, isNew: true,
      at: Moment(now: 1, wall: wall))
    let results = scheduler.receive(Exchange(.registered(status: 201)), for: old, now: 1, wall: wall).results
    #expect(results.map(\.registrar) == [1])
    #expect(try !canaries(&scheduler, count: 5).contains(old.job.key.row))
  }

  @Test func anAttemptThatIsGivenBackWhileItsKeyIsReadAheadIsNotCounted() throws {
    var scheduler = scheduler(keys: 1)
    var attempts: [Int64: Int] = [:]
    var now = 0.0
    var refunds = 0
    let unavailable = Exchange(
      verdict: .unsettled(status: 503, title: "Service Unavailable", detail: nil),
      paced: PacedReply(kind: .serverError), status: 503, duration: 0.1)
    var unwritten: [KeyResult] = []
    for round in 0..<400 where refunds < 3 {
      // Keys are read while results are on their way to disk.
      if scheduler.wantsKeys || scheduler.generation == 0 {
        let taken = scheduler.taken
        let keys = [Int64(1), 2].filter { !taken.contains($0) }.map {
          DueKey(row: $0, id: AppKeyID(high: 0, low: UInt64($0)), attempts: attempts[$0, default: 0], state: .retrying)
        }
        scheduler.supply(keys, isAll: true, nextDue: nil, generation: scheduler.generation)
      }
      var settlement = Scheduler.Settlement()
      switch scheduler.next(now: now, backlog: 2, wall: wall) {
      case .send(let assignment):
        #expect(assignment.job.key.attempts == attempts[assignment.job.key.row, default: 0], "round \(round)")
        settlement = scheduler.receive(unavailable, for: assignment, now: now, wall: wall)
      case .wait(let until): now = max(now + 0.01, until)
      case .waitForEvent: now += 0.5
      }
      settlement.results += scheduler.takeUndelivered().results
      for result in settlement.results {
        if case .refund = result.verdict { refunds += 1 }
        if case .failed = result.verdict { Issue.record("failed in an outage") }
      }
      unwritten += settlement.results
      guard round % 3 == 0 else { continue }
      for result in unwritten {
        switch result.verdict {
        case .refund: attempts[result.row, default: 1] -= 1
        case .retry: attempts[result.row, default: 0] += 1
        default: break
        }
      }
      scheduler.recorded(unwritten)
      unwritten = []
    }
    #expect(refunds >= 3 && scheduler.holds.hold?.reason == .outage)
  }

  @Test func aServerInTroubleMaySayWhenToComeAgain() throws {
    var scheduler = scheduler(keys: 1)
    let assignment = try assignment(&scheduler)
    let reading = RateLimitReading(headers: [(name: "Retry-After", value: "20")], body: nil, wallClock: 0)
    let exchange = Exchange(
      verdict: .unsettled(status: 503, title: "Service Unavailable", detail: nil),
      paced: PacedReply(kind: .serverError, reading: reading), status: 503, duration: 0.1)
    let results = scheduler.receive(exchange, for: assignment, now: 0, wall: wall).results
    #expect(results.map(\.verdict) == [.retry(due: wall.adding(seconds: 20))])
  }

  @Test func aKeyThatMayHaveBeenCancelledMeanwhileIsReadAnewAndNotSent() throws {
    var scheduler = scheduler(keys: 1)
    let assignment = try assignment(&scheduler)
    scheduler.keysChanged()
    let throttled = Exchange(verdict: .throttled, paced: PacedReply(kind: .throttled), status: 429, duration: 0.1)
    #expect(scheduler.receive(throttled, for: assignment, now: 0, wall: wall).results.isEmpty)
    guard case .waitForEvent = scheduler.next(now: 100, backlog: 1, wall: wall) else {
      Issue.record("sent from memory")
      return
    }
    #expect(scheduler.wantsKeys && scheduler.taken.isEmpty)
  }
}

extension Exchange {
  /// An exchange as far as the scheduler looks at it.
  fileprivate init(_ verdict: Verdict) {
    self.init(verdict: verdict, paced: PacedReply(kind: .answered), status: 200, duration: 0.01)
  }
}
