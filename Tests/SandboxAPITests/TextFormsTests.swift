import Registration
import SandboxAPI
import Testing

@Suite struct TextFormsTests {
  @Test(arguments: [
    ("100/10s", 100, 10), ("400/1h", 400, 3600), ("1/1s", 1, 1), ("1000000000/24h", 1_000_000_000, 86_400),
    ("5/2000ms", 5, 2), ("7/3m", 7, 180),
  ])
  func aLimitIsReadAsCountAndPeriod(_ text: String, _ count: Int, _ seconds: Int) throws {
    let quota = try Quota(parsing: text)
    #expect(quota.count == count)
    #expect(quota.periodSeconds == seconds)
  }

  @Test(arguments: [
    "", "/", "100", "100/", "/10s", "100/10", "0/10s", "1000000001/10s", "-1/10s", "+1/10s", "100/0s", "100/25h",
    "100/1500ms", "100/10s/1", "1e3/10s", "100 /10s", "١٠/10s", "99999999999999999999/1s",
  ])
  func anythingElseIsRefusedWithAHint(_ text: String) {
    let error = #expect(throws: SyntaxError.self) { try Quota(parsing: text) }
    #expect(error?.hint.isEmpty == false)
  }

  @Test func durationsHaveAWholeNumberAndOneUnit() throws {
    for (text, duration) in [
      ("250ms", Duration.milliseconds(250)), ("30s", .seconds(30)), ("5m", .seconds(300)), ("2h", .seconds(7200)),
    ] { #expect(try FaultPlan(parsing: "slow=\(text)").faults == [Fault(.slow(duration))]) }
    for text in ["", "s", "5", "5 s", "-5s", "1.5s", "5S", "99999999999999999999s"] {
      let error = #expect(throws: SyntaxError.self) { try FaultPlan(parsing: "slow=\(text)") }
      #expect(error?.hint.isEmpty == false)
    }
  }

  @Test func everyEffectScopeAndSpanCanBeWritten() throws {
    let key = id(1)
    let plan = try FaultPlan(
      parsing:
        "500:1%,503@10s-20s,403:key=\(key),404:keys=0.5%,edge429:1%,page=404:first=1,reset,lost,slow=5s:2%,hang:key=\(key),"
        + "captive,truncated:100%,foreign,500:first=2,401@1m-,302:50%@0s-1h,tenant=0.3,seed=9")
    #expect(
      plan.faults == [
        Fault(.status(500), .shareOfRequests(0.01)),
        Fault(.status(503), during: .seconds(10)..<(.seconds(20))),
        Fault(.status(403), .key(key)),
        Fault(.status(404), .shareOfKeys(0.005)),
        Fault(.edge429, .shareOfRequests(0.01)),
        Fault(.page(404), .firstOfEachKey(1)),
        Fault(.reset), Fault(.lost),
        Fault(.slow(.seconds(5)), .shareOfRequests(0.02)),
        Fault(.hang, .key(key)),
        Fault(.captive), Fault(.truncated, .shareOfRequests(1)), Fault(.foreign),
        Fault(.status(500), .firstOfEachKey(2)),
        Fault(.status(401), during: .seconds(60)..<(.seconds(Int64.max))),
        Fault(.status(302), .shareOfRequests(0.5), during: .zero..<(.seconds(3600))),
      ])
    #expect(plan.neighbourShare == 0.3)
    #expect(plan.seed == 9)
    #expect(try FaultPlan(parsing: "") == .none)
  }

  @Test(arguments: [
    "500:", "500:0%", "500:101%", "500:nan%", "299", "600", "5000", "05a", "teapot", "slow", "slow=5", "reset=1",
    "403:key=nope", "page", "page=200", "page=4040", "404:keys=5", "500:first=0", "500:1%:2%", "503@10s", "503@20s-10s",
    "503@-10s", "tenant=0",
    "tenant=1.1", "tenant=nan", "tenant", "seed=x", "500,,503", ",",
  ])
  func aClauseThatCannotBeReadIsNamed(_ text: String) {
    let error = #expect(throws: SyntaxError.self) { try FaultPlan(parsing: text) }
    #expect(error?.hint.isEmpty == false)
  }
}
