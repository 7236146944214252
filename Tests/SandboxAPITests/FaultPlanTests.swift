import Registration
import SandboxAPI
import Testing

@Suite struct FaultPlanTests {
  @Test func aShareOfRequestsIsHitAboutThatOften() throws {
    let plan = try FaultPlan(parsing: "500:10%")
    let hits = (0..<20_000).count { plan.decide(key: id(UInt64($0)), ordinal: 1, elapsed: .zero).effect != nil }
    #expect((1850...2150).contains(hits))
  }

  @Test func aShareOfKeysIsHitInEveryRequestOfTheKey() throws {
    let plan = try FaultPlan(parsing: "404:keys=5%")
    var hits = 0
    for number in 0..<20_000 {
      let effects = (1...3).map { plan.decide(key: id(UInt64(number)), ordinal: $0, elapsed: .zero).effect }
      #expect(Set(effects.map { $0 == nil }).count == 1)
      if effects[0] != nil { hits += 1 }
    }
    #expect((880...1120).contains(hits))
  }

  @Test func theSeedChangesWhichRequestsAreHitAndNothingElseDoes() throws {
    let draws = { (seed: Int) in
      let plan = try FaultPlan(parsing: "500:50%,seed=\(seed)")
      return (0..<64).map { plan.decide(key: id(UInt64($0)), ordinal: 1, elapsed: .zero).effect != nil }
    }
    #expect(try draws(1) == draws(1))
    #expect(try draws(1) != draws(2))
  }

  @Test func theFirstRequestsOfEachKeyAreCountedByKey() throws {
    let plan = try FaultPlan(parsing: "500:first=2")
    #expect(
      (1...4).map { plan.decide(key: id(1), ordinal: $0, elapsed: .zero).effect != nil } == [true, true, false, false])
    #expect(plan.decide(key: nil, ordinal: 1, elapsed: .zero).effect == nil)
  }

  @Test func aSpanHoldsFromItsStartUntilItsEnd() throws {
    let plan = try FaultPlan(parsing: "503@10s-20s")
    let effects = [9_999, 10_000, 19_999, 20_000].map {
      plan.decide(key: id(1), ordinal: 1, elapsed: .milliseconds($0)).effect
    }
    #expect(effects == [nil, .status(503), .status(503), nil])
  }

  @Test func slownessAddsUpAndLetsALaterFaultDecide() throws {
    let plan = try FaultPlan(parsing: "slow=1s,slow=250ms,500,slow=1h")
    #expect(
      plan.decide(key: id(1), ordinal: 1, elapsed: .zero) == .init(delay: .milliseconds(1250), effect: .status(500)))
  }

  @Test func aNeighbourSpendsAboutItsShareOfTheLimit() throws {
    var configuration = SandboxConfiguration(limit: try Quota(parsing: "1000/10s"))
    configuration.faults = try FaultPlan(parsing: "tenant=0.3")
    var standIn = StandIn(configuration, startedAt: at(0))
    _ = standIn.ask(.get, path(1), at: at(0))
    let left = standIn.ask(.get, path(1), at: at(9_999)).field("X-RateLimit-Remaining").flatMap { Int($0) }
    let spent = 998 - (try #require(left))
    #expect((240...360).contains(spent))
  }

  @Test func aNeighbourOfTheLargestLimitIsStillQuick() throws {
    var configuration = SandboxConfiguration(limit: try Quota(parsing: "1000000000/1s"))
    configuration.faults = try FaultPlan(parsing: "tenant=1")
    var standIn = StandIn(configuration, startedAt: at(0))
    _ = standIn.ask(.get, path(1), at: at(0))
    #expect(standIn.ask(.get, path(1), at: at(30 * day)).status == 404)
  }
}
