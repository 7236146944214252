import RateLimit
import Registration
import Testing

@testable import RegistrationCore

@Suite struct CoreTests {
  private let forbidden = Verdict.forbidden(title: "Forbidden", detail: nil)
  private let unavailable = Verdict.unsettled(status: 503, title: "Service Unavailable", detail: nil)
  private let canary = CoreBench.key(99, attempts: 1, state: .registered)

  @Test func aCanaryThatHasBecomeBadItselfHoldsNobodyForGood() throws {
    var bench = CoreBench(keys: 5, canary: canary)
    let outcomes = try #require(
      bench.outcomes { [99, 1].contains($0.key.row) ? forbidden : .registered(status: 201) })
    #expect(outcomes[1] == .failed && outcomes.values.count { $0 == .registered } == 4)
  }

  @Test(arguments: 1...3) func theLastKeysAreDecidedAfterARestartToo(count: Int) throws {
    var bench = CoreBench(keys: count, canary: canary)
    let outcomes = try #require(bench.outcomes { $0.key.row == 99 ? .registered(status: 200) : forbidden })
    #expect(outcomes.values.allSatisfy { $0 == .failed })
  }

  @Test func refusedCredentialsAreNoKeysFaultWhateverTheCanary() {
    var bench = CoreBench(keys: 3, canary: canary)
    #expect(bench.outcomes { _ in forbidden } == nil)
    #expect(bench.core.holds.hold?.reason == .credentials)
    guard case .hold = bench.core.standstill else {
      Issue.record("\(String(describing: bench.core.standstill))")
      return
    }
  }

  /// Which keys are sent while every one of them is refused, one in 30 s.
  private func canaries(_ bench: inout CoreBench, count: Int) throws -> [Int64] {
    try (0..<count).map { index in
      let job = try #require(bench.tick(now: Double(index) * 30).sends.first)
      _ = bench.reply(forbidden, to: job, now: Double(index) * 30)
      return job.key.row
    }
  }

  @Test func aCanaryIsWhatTheseCredentialsRegisteredWithinADay() throws {
    var young = CoreBench(keys: 5, canary: canary)
    #expect(try canaries(&young, count: 4) == [1, 2, 3, 99])
    var old = CoreBench(keys: 5, canary: canary, age: 86_400)
    #expect(try !canaries(&old, count: 6).contains(99))
    // It grows old while the daemon runs.
    var ageing = CoreBench(keys: 5, canary: canary, age: 86_400 - 70)
    #expect(try canaries(&ageing, count: 6).contains(99) == false)
    var lasting = CoreBench(keys: 5, canary: canary, age: 86_400 - 100)
    #expect(try canaries(&lasting, count: 4).last == 99)
    var future = CoreBench(keys: 5, canary: canary, age: -1_000)
    #expect(try !canaries(&future, count: 6).contains(99))
  }

  @Test func aKeyIsACanaryAsSoonAsItIsRegistered() throws {
    var bench = CoreBench(keys: 5)
    let first = try #require(bench.tick(now: 0).sends.first)
    // Its result is not on disk yet.
    #expect(bench.reply(.registered(status: 201), to: first, now: 0).results.map(\.row) == [first.key.row])
    var refused: [Int64] = []
    while bench.core.holds.hold == nil, let job = bench.tick(now: 1).sends.first {
      guard job.key.row != first.key.row else { break }
      refused.append(job.key.row)
      _ = bench.reply(forbidden, to: job, now: 1)
    }
    #expect(refused == [2, 3, 4] && bench.core.holds.hold == nil)
  }

  @Test func aKeyThatTheAPIHasRefusedSinceIsNoCanary() throws {
    var bench = CoreBench(keys: 8)
    let first = try #require(bench.tick(now: 0).sends.first)
    bench.commit(bench.reply(.registered(status: 201), to: first, now: 0).results, now: 0)
    // It is to be registered again, as in a list with `force`.
    bench.keys[1] = CoreBench.key(1, state: .registered)
    _ = bench.take(.keysChanged, now: 1)
    let again = try #require(bench.tick(now: 1).sends.first)
    #expect(again.key.row == 1)
    bench.commit(
      bench.reply(.failed(status: 404, title: "Not Found", detail: "app key not found"), to: again, now: 1).results,
      now: 1)
    // A second look at it follows later.
    #expect(bench.due[1] != nil)
    for now in 2..<8 {
      let job = try #require(bench.tick(now: Double(now)).sends.first)
      #expect(!job.isKnownGood)
      _ = bench.reply(forbidden, to: job, now: Double(now))
      if bench.core.holds.hold != nil { break }
    }
    #expect(bench.core.holds.hold?.reason == .credentials)
  }

  /// As in a list with `force`: it would bear witness against itself.
  @Test func aKeyThatIsToBeRegisteredAgainIsNoCanary() throws {
    var bench = CoreBench(keys: 8)
    let first = try #require(bench.tick(now: 0).sends.first)
    bench.commit(bench.reply(.registered(status: 201), to: first, now: 0).results, now: 0)
    bench.keys[1] = CoreBench.key(1, state: .registered)
    _ = bench.take(.keysChanged, now: 1)
    for now in 1..<8 where bench.core.holds.hold == nil {
      let job = try #require(bench.tick(now: Double(now)).sends.first)
      #expect(!job.isKnownGood)
      _ = bench.reply(forbidden, to: job, now: Double(now))
    }
    #expect(bench.core.holds.hold?.reason == .credentials)
  }

  @Test func aHoldAsksForCanariesOfEveryListAndItsEndForTheKeysInOrder() throws {
    var bench = CoreBench(keys: 50)
    _ = try canaries(&bench, count: 4)
    #expect(bench.core.holds.hold?.reason == .credentials)
    let read = try #require(bench.take(.tick(open: 50), now: 95).read)
    #expect(read.isSample && read.except.isEmpty)
    let page = KeyPage([CoreBench.key(40)], isAll: false, nextDue: nil, generation: read.generation)
    _ = bench.take(.keys(page), now: 100)
    let wanted = bench.take(.tick(open: 50), now: 130)
    let job = try #require(wanted.sends.first)
    #expect(job.key.row == 40 && job.isProbe)
    let more = try #require(wanted.read)
    let over = bench.reply(.registered(status: 201), to: job, now: 130)
    #expect(over.ended == [.credentials])
    // A page of the hold comes too late.
    _ = bench.take(
      .keys(KeyPage([CoreBench.key(41)], isAll: true, nextDue: nil, generation: more.generation)), now: 130)
    let next = bench.take(.tick(open: 49), now: 130)
    #expect(next.sends.isEmpty && next.read?.isSample == false && next.read?.except == [40])
  }

  @Test func whatOldCredentialsRegisterIsNoCanaryForNewOnes() throws {
    var bench = CoreBench(keys: 6)
    let old = try #require(bench.tick(now: 0).sends.first)
    let settings = CoreSettings(
      pacer: PacerSettings(workers: 1, assume: Allowance(count: 1_000_000, period: 1)),
      retry: RetryPolicy(maxAttempts: 8, firstDelay: 1, maxDelay: 300), registrar: 2)
    _ = bench.take(.settings(settings), now: 1)
    let results = bench.reply(.registered(status: 201), to: old, now: 1).results
    #expect(results.map(\.registrar) == [1])
    bench.commit(results, now: 1)
    #expect(try !canaries(&bench, count: 5).contains(old.key.row))
  }

  /// Keys are read while results are on their way to disk.
  @Test func anAttemptCountsOnceAnotherKeyIsAnswered() throws {
    var bench = CoreBench(keys: 60, workers: 4)
    var now = 0.0
    var lost: [Int64: Int] = [:]
    var counted: [Int64: Int] = [:]
    var unwritten: [KeyResult] = []
    for round in 0..<4_000 where !bench.keys.isEmpty {
      let wanted = bench.tick(now: now)
      for job in wanted.sends {
        #expect(job.isKnownGood || job.key.attempts == counted[job.key.row, default: 0], "round \(round)")
      }
      for job in wanted.sends {
        let row = job.key.row
        let isLost = row % 3 == 0 && lost[row, default: 0] < 3
        // A canary's attempt does not count.
        if isLost, !job.isProbe { lost[row, default: 0] += 1 }
        let results = bench.reply(isLost ? unavailable : .registered(status: 201), to: job, now: now).results
        for result in results where result.decision == .charge { counted[result.row, default: 0] += 1 }
        unwritten += results
      }
      if wanted.sends.isEmpty { now = max(now + 0.01, min(wanted.wake ?? .infinity, now + 0.5)) }
      guard round % 3 == 0 else { continue }
      bench.commit(unwritten, now: now)
      unwritten = []
    }
    #expect(bench.keys.isEmpty && bench.outcomes.count == 60)
    #expect(counted == lost && counted.count == 20)
  }

  /// Whenever the daemon is killed, the queue has only attempts that count.
  @Test func noAttemptOfAnOutageIsEverInTheQueue() throws {
    var bench = CoreBench(keys: 6)
    var now = 0.0
    for _ in 0..<600 {
      let wanted = bench.tick(now: now)
      bench.commit(wanted.results, now: now)
      for job in wanted.sends { bench.commit(bench.reply(unavailable, to: job, now: now).results, now: now) }
      #expect(bench.keys.values.allSatisfy { $0.attempts == 0 })
      now = max(now + 0.01, min(wanted.wake ?? .infinity, now + 0.5))
    }
    #expect(bench.core.holds.hold?.reason == .outage && bench.keys.count == 6)
  }

  @Test func aKeyThatMayHaveBeenCancelledMeanwhileIsReadAnewAndNotSent() throws {
    var bench = CoreBench(keys: 1)
    let job = try #require(bench.tick(now: 0).sends.first)
    _ = bench.take(.keysChanged, now: 0)
    #expect(bench.reply(.throttled, to: job, now: 0).results.isEmpty)
    let wanted = bench.take(.tick(open: 1), now: 100)
    #expect(wanted.sends.isEmpty && wanted.read?.except.isEmpty == true)
  }

  /// A key that always gets 429 must not stop the others: the next probe is another key, and nothing is charged.
  @Test func whatTheRateLimitRefusedIsTriedAfterTheOthers() throws {
    var bench = CoreBench(keys: 3, assume: nil)
    var now: Seconds = 0
    var order: [Int64] = []
    while order.count < 5, now < 3_600 {
      let wanted = bench.tick(now: now)
      for job in wanted.sends {
        order.append(job.key.row)
        let reply = bench.reply(job.key.row == 1 ? .throttled : .registered(status: 201), to: job, wait: 1, now: now)
        #expect(job.key.row != 1 || reply.results.isEmpty)
        bench.commit(reply.results, now: now)
      }
      now = max(now + 0.1, wanted.wake ?? now)
    }
    #expect(order == [1, 2, 3, 1, 1])
    #expect(bench.keys[1]?.attempts == 0)
  }

  /// The queue is told how many keys have had their turn.
  @Test func aReadGoesOnWithTheTurnsThatWereTaken() throws {
    var bench = CoreBench(keys: 50)
    let first = try #require(bench.tick(now: 0).sends.first)
    bench.commit(bench.reply(.registered(status: 201), to: first, now: 0).results, now: 0)
    _ = bench.take(.keysChanged, now: 0)
    #expect(bench.take(.tick(open: 49), now: 0).read?.turn == 1)
  }

  @Test func aPageThatWasReadBeforeKeysChangedIsNotTaken() throws {
    var bench = CoreBench(keys: 3)
    let read = try #require(bench.take(.tick(open: 3), now: 0).read)
    _ = bench.take(.keysChanged, now: 0)
    let stale = KeyPage([CoreBench.key(1)], isAll: true, nextDue: nil, generation: read.generation)
    _ = bench.take(.keys(stale), now: 0)
    let wanted = bench.take(.tick(open: 3), now: 0)
    #expect(wanted.sends.isEmpty && wanted.read != nil)
  }
}

/// A disk that refuses, told once and asked again.
@Suite struct StoreFaultTests {
  @Test func nothingIsSentUntilResultsCanBeWritten() throws {
    var bench = CoreBench(keys: 3, workers: 2)
    let job = try #require(bench.tick(now: 0).sends.first)
    let results = bench.reply(.registered(status: 201), to: job, now: 0).results
    let first = bench.take(.storeFailed(DiskFault(.results, "disk full")), now: 0)
    guard case .diskHoldBegan(DiskFault(.results, "disk full")) = first.notices.first else {
      Issue.record("not told")
      return
    }
    #expect(bench.take(.storeFailed(DiskFault(.results, "disk full")), now: 1).notices.isEmpty)
    #expect(bench.tick(now: 1).sends.isEmpty)
    let over = bench.take(.committed(results), now: 2)
    guard case .diskHoldEnded = over.notices.first else {
      Issue.record("not told")
      return
    }
    #expect(!bench.tick(now: 2).sends.isEmpty)
  }

  @Test func keysThatCannotBeReadAreReadAgainASecondLater() throws {
    var bench = CoreBench(keys: 3)
    _ = try #require(bench.take(.tick(open: 3), now: 0).read)
    _ = bench.take(.storeFailed(DiskFault(.keys, "input/output error")), now: 0)
    let held = bench.take(.tick(open: 3), now: 0.5)
    #expect(
      held.read == nil && held.wake == 1 && bench.core.standstill == .disk(DiskFault(.keys, "input/output error")))
    let again = try #require(bench.take(.tick(open: 3), now: 1).read)
    // It is no better before they have been read.
    _ = bench.take(.tick(open: 3), now: 1.1)
    #expect(bench.core.standstill == .disk(DiskFault(.keys, "input/output error")))
    bench.supply(again, now: 1)
    #expect(bench.tick(now: 1).sends.count == 1)
  }

  @Test func aDiskThatRefusesKeysIsAskedAgainHoweverManyAreAhead() throws {
    var bench = CoreBench(keys: 1)
    let refused = try #require(bench.tick(now: 0).sends.first)
    _ = bench.reply(.unauthorized(detail: nil), to: refused, now: 0)
    let read = try #require(bench.take(.tick(open: 40), now: 0).read)
    let keys = (1...32).map { CoreBench.key($0) }
    _ = bench.take(.keys(KeyPage(keys, isAll: false, nextDue: nil, generation: read.generation)), now: 0)
    let probing = bench.take(.tick(open: 40), now: 6)
    try #require(probing.sends.count == 1 && probing.read != nil)
    _ = bench.take(.storeFailed(DiskFault(.keys, "input/output error")), now: 6)
    // The canary goes behind the others, and as many are ahead as are wanted.
    _ = bench.reply(.unauthorized(detail: nil), to: probing.sends[0], now: 6)
    #expect(bench.take(.tick(open: 40), now: 6).wake == 7)
    #expect(bench.take(.tick(open: 40), now: 7).read != nil)
  }

  @Test func aKeyThatIsWantedAgainBeforeItsOutcomeWasToldIsRead() throws {
    var bench = CoreBench(keys: 1)
    let job = try #require(bench.tick(now: 0).sends.first)
    let results = bench.reply(.registered(status: 201), to: job, now: 0).results
    // The outcome is on disk, and a forced list puts the key back before the core hears of it.
    _ = bench.take(.keysChanged, now: 0)
    let read = try #require(bench.take(.tick(open: 1), now: 0).read)
    #expect(read.except == [1])
    _ = bench.take(.keys(KeyPage([], isAll: true, nextDue: nil, generation: read.generation)), now: 0)
    _ = bench.take(.committed(results), now: 0)
    #expect(bench.take(.tick(open: 1), now: 0).read?.except == [])
  }
}
