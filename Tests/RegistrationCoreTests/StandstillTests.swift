import RateLimit
import Registration
import Testing

@testable import RegistrationCore

/// Why nothing is sent, in the order in which it counts.
@Suite struct StandstillTests {
  private func standstill(_ bench: inout CoreBench, _ events: Event..., now: Seconds = 0) -> Standstill? {
    for event in events { _ = bench.take(event, now: now) }
    _ = bench.tick(now: now)
    return bench.core.standstill
  }

  @Test func oneReasonIsGivenAndTheStrongestOne() throws {
    var bench = CoreBench(keys: 3)
    let pause = Pause(reason: "lunch", since: CoreBench.start)
    #expect(standstill(&bench) == nil)
    #expect(
      standstill(&bench, .storeFailed(DiskFault(.results, "disk full"))) == .disk(DiskFault(.results, "disk full")))
    #expect(standstill(&bench, .pause(pause)) == .paused(pause))
    #expect(standstill(&bench, .stop) == .stopping)
    #expect(standstill(&bench, .pause(nil)) == .stopping)
  }

  @Test func aPauseAndAnAskedWaitAreKnownBeforeTheFirstTick() {
    let pause = Pause(reason: nil, since: CoreBench.start)
    #expect(CoreBench(keys: 1, pause: pause).core.standstill == .paused(pause))
    let asked = AskedToWait(
      seconds: 60, fault: RequestFault(status: 503, title: "Service Unavailable", detail: nil), since: CoreBench.start,
      registrar: 1)
    guard case .hold(let hold) = CoreBench(keys: 1, asked: asked).core.standstill else {
      Issue.record("no hold")
      return
    }
    #expect(hold.reason == .outage && hold.since == CoreBench.start)
  }

  @Test func nothingToDoTheLimitAndAReplyAreToldApart() throws {
    var idle = CoreBench(keys: 0)
    #expect(standstill(&idle) == .nothingDue(next: nil))
    var limited = CoreBench(keys: 9, workers: 8, assume: Allowance(count: 2, period: 60))
    let probe = try #require(limited.tick(now: 0).sends.first)
    // Of a server that nobody has heard of yet one reply is waited for.
    #expect(limited.core.standstill == .reply)
    _ = limited.reply(.registered(status: 201), to: probe, now: 0)
    _ = limited.tick(now: 0)
    let first = limited.core.standstill
    guard case .limit(let until) = first, until > 0 else {
      Issue.record("\(String(describing: first))")
      return
    }
  }

  @Test func resultsThatWaitForTheDiskStandInTheWay() throws {
    var bench = CoreBench(keys: 400, workers: 64)
    var unwritten: [KeyResult] = []
    var sent = 0
    for _ in 0..<20 {
      let wanted = bench.tick(now: 0)
      sent += wanted.sends.count
      for job in wanted.sends { unwritten += bench.reply(.registered(status: 201), to: job, now: 0).results }
    }
    _ = bench.tick(now: 0)
    #expect(bench.core.standstill == .recording && bench.core.inHand == Core.inHandAtMost + 1)
    #expect(sent == unwritten.count && sent == Core.inHandAtMost + 1)
    bench.commit(unwritten, now: 0)
    #expect(!bench.tick(now: 0).sends.isEmpty)
  }

  @Test func whatACanaryIsToTellIsNoRateLimit() throws {
    var bench = CoreBench(keys: 50, workers: 3)
    let first = try #require(bench.tick(now: 0).sends.first)
    _ = bench.reply(.registered(status: 201), to: first, now: 0)
    var jobs = bench.tick(now: 0).sends
    while jobs.count < 3 {
      let done = jobs.removeFirst()
      _ = bench.reply(.registered(status: 201), to: done, now: 0)
      let more = bench.tick(now: 0).sends
      try #require(!more.isEmpty)
      jobs += more
    }
    _ = bench.reply(.forbidden(title: "Forbidden", detail: nil), to: jobs[0], now: 0)
    let probe = bench.tick(now: 0)
    #expect(probe.sends.map(\.isProbe) == [true])
    _ = bench.reply(.throttled, to: jobs[1], now: 0)
    #expect(bench.tick(now: 0).sends.isEmpty && bench.core.standstill == .inquiry)
  }

  /// By these names waiting time is counted in the metrics.
  @Test func eachWaitHasItsKindAndWhatIsNoneHasNot() {
    let hold = { (reason: Holds.Reason) in
      let fault = RequestFault(status: 401, title: "Unauthorized", detail: nil)
      return Standstill.hold(Hold(reason: reason, fault: fault, since: CoreBench.start, began: 0))
    }
    let pause = Pause(reason: nil, since: CoreBench.start)
    let reasons: [(Standstill, String?)] = [
      (.stopping, "stopping"), (.paused(pause), "paused"), (.disk(DiskFault(.keys, "full")), "disk"),
      (.recording, "recording"), (hold(.credentials), "credentials"), (hold(.outage), "outage"),
      (hold(.refused), "refused"), (.inquiry, "inquiry"), (.limit(until: 1), "rate_limit"), (.reply, nil),
      (.nothingDue(next: 1), nil),
    ]
    for (standstill, name) in reasons { #expect(standstill.kind?.rawValue == name) }
    #expect(Set(reasons.compactMap(\.1)) == Set(Standstill.Kind.allCases.map(\.rawValue)))
  }
}
