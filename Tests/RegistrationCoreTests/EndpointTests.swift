import RateLimit
import Registration
import Testing

@testable import RegistrationCore

/// What a server in trouble has asked for.
@Suite struct AskedToWaitTests {
  private let unavailable = Verdict.unsettled(status: 503, title: "Service Unavailable", detail: nil)

  @Test func aKeyWaitsAsLongAsItsServerAsks() throws {
    var bench = CoreBench(keys: 1)
    let job = try #require(bench.tick(now: 0).sends.first)
    let results = bench.reply(unavailable, to: job, wait: 20, now: 0).results
    #expect(results.map(\.decision) == [.retry(due: CoreBench.start.adding(seconds: 20))])
  }

  /// Goes on until the outage is a hold; returns what was told of it.
  private func outage(_ bench: inout CoreBench, wait: Seconds) throws -> [AskedToWait?] {
    var told: [AskedToWait?] = []
    var now = 0.0
    for _ in 0..<200 where bench.core.holds.hold == nil {
      let wanted = bench.tick(now: now)
      for job in wanted.sends {
        let reply = bench.reply(unavailable, to: job, wait: wait, now: now)
        told += reply.asked
        bench.commit(reply.results, now: now)
      }
      now += 0.01
    }
    try #require(bench.core.holds.hold?.reason == .outage)
    return told
  }

  @Test func itOutlivesARestartAndIsForgottenWithASuccess() throws {
    var bench = CoreBench(keys: 30, workers: 8)
    let told = try outage(&bench, wait: 120)
    let asked = try #require(told.last ?? nil)
    #expect(told.count == 1 && abs(asked.seconds - 120) < 1 && asked.fault.status == 503)
    var restarted = CoreBench(keys: 30, workers: 8, asked: asked)
    #expect(restarted.tick(now: 0).sends.isEmpty && restarted.tick(now: 118).sends.isEmpty)
    let probe = restarted.tick(now: 121).sends
    try #require(probe.count == 1)
    #expect(probe.map(\.isProbe) == [true])
    let over = restarted.reply(.registered(status: 201), to: probe[0], now: 121)
    #expect(over.ended == [.outage])
    #expect(restarted.tick(now: 121).sends.count > 1)
  }

  @Test func itHoldsOverAReloadUnlessTheEndpointIsAnother() throws {
    let settings = { (change: CoreSettings.Change) in
      CoreSettings(
        pacer: PacerSettings(workers: 8, assume: Allowance(count: 1_000_000, period: 1)),
        retry: RetryPolicy(maxAttempts: 8, firstDelay: 1, maxDelay: 300), registrar: 1, change: change)
    }
    var bench = CoreBench(keys: 30, workers: 8)
    _ = try outage(&bench, wait: 120)
    #expect(bench.take(.settings(settings(.none)), now: 2).ended.isEmpty)
    #expect(bench.tick(now: 2).sends.isEmpty && bench.tick(now: 100).sends.isEmpty)
    let new = bench.take(.settings(settings(.credentials)), now: 100)
    #expect(new.ended == [.outage] && new.asked.count == 1 && new.asked[0] == nil)
    #expect(bench.tick(now: 100).sends.map(\.isProbe) == [true])
  }

  /// The base address was wrong, or the credentials: whoever is asked now has asked for nothing.
  @Test func whatAnotherServerAskedForIsForgottenOverARestart() throws {
    var bench = CoreBench(keys: 30, workers: 8)
    var asked = try #require(try outage(&bench, wait: 3_600).last ?? nil)
    #expect(asked.registrar == 1)
    asked.registrar = 2
    var restarted = CoreBench(keys: 30, workers: 8, asked: asked)
    #expect(restarted.core.standstill == nil && !restarted.tick(now: 0).sends.isEmpty)
  }
}

/// Another endpoint: what one server said of its limit says nothing of another's.
@Suite struct EndpointTests {
  private func settings(_ change: CoreSettings.Change) -> Event {
    .settings(
      CoreSettings(
        pacer: PacerSettings(workers: 2), retry: RetryPolicy(maxAttempts: 8, firstDelay: 1, maxDelay: 300),
        registrar: 1, change: change))
  }

  /// Both requests in flight; the first is answered 429 with a wait of ten minutes.
  private func throttled() throws -> (bench: CoreBench, late: Job) {
    var bench = CoreBench(keys: 60, workers: 2, assume: nil)
    var jobs = bench.tick(now: 0).sends
    while jobs.count < 2 {
      _ = bench.reply(.registered(status: 201), to: jobs.removeLast(), now: 0.1)
      jobs += bench.tick(now: 0.1).sends
    }
    let reading = RateLimitReading(retryAfter: 600)
    _ = bench.take(
      .reply(Answer(.throttled, paced: PacedReply(kind: .throttled, reading: reading)), order: jobs[0].order), now: 0.2)
    try #require(bench.tick(now: 0.2).sends.isEmpty)
    return (bench, jobs[1])
  }

  @Test(arguments: [CoreSettings.Change.none, .credentials])
  func aWaitHoldsForTheSameServer(change: CoreSettings.Change) throws {
    var bench = try throttled().bench
    _ = bench.take(settings(change), now: 1)
    #expect(bench.tick(now: 1).sends.isEmpty && bench.tick(now: 500).sends.isEmpty)
  }

  @Test func anotherServerIsAskedAtOnceAndLateRepliesOfTheFirstSayNothing() throws {
    var (bench, late) = try throttled()
    _ = bench.take(settings(.endpoint), now: 1)
    let sent = bench.tick(now: 1).sends
    #expect(sent.count == 1)
    let reading = RateLimitReading(retryAfter: 600)
    _ = bench.take(
      .reply(Answer(.throttled, paced: PacedReply(kind: .throttled, reading: reading)), order: late.order), now: 1.1)
    _ = bench.reply(.registered(status: 201), to: try #require(sent.first), now: 1.2)
    #expect(!bench.tick(now: 1.2).sends.isEmpty)
  }
}
