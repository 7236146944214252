import Foundation
import SandboxAPI
import Testing

/// The holds, seen from outside: they show, charge no key, and end with their cause.
@Suite struct HoldTests {
  private static let good = SandboxConfiguration.Credentials(
    apiKey: "test-api-key", applicationKey: "test-app-key")
  private static let other = SandboxConfiguration.Credentials(apiKey: "x", applicationKey: "y")

  @Test func refusedCredentialsHoldAndAReloadEndsItAtOnce() throws {
    let bench = try Bench()
    bench.sandbox.accept(Self.other)
    let keys = randomKeys(200)
    try bench.drop(lines(keys), as: "a")
    let daemon = try bench.start()
    let status = try bench.await { $0.hold == .credentials }
    #expect(status.state == .holding && status.keys.failed == 0 && status.keys.total == 200)
    let metrics = try bench.client.metrics()
    #expect(metrics.contains("keyreg_hold{reason=\"credentials\"} 1"))
    // A reason that was never waited for has a sample, too.
    #expect(metrics.contains("keyreg_wait_seconds_total{reason=\"paused\"} 0"))
    bench.sandbox.accept(Self.good)
    #expect(try bench.run("reload").code == 0)
    try bench.await { $0.keys.registered == 200 }
    bench.stop(daemon)
    #expect(bench.log.contains("holding: only probes are sent") && bench.log.contains("the hold is over"))
    // Sixteen in flight when the first refusal came, three canaries, one probe after the reload.
    #expect(try bench.journal().count { $0.status == 403 } <= 20)
    #expect(status.reason?.contains("403 Forbidden since ") == true)
  }

  @Test func credentialsThatExpireInTheMiddleFailNoKey() throws {
    let bench = try Bench(latency: .milliseconds(3))
    let keys = randomKeys(1_500)
    try bench.drop(lines(keys), as: "a")
    let daemon = try bench.start()
    try bench.await { $0.keys.registered > 100 }
    bench.sandbox.accept(Self.other)
    let held = try bench.await { $0.hold == .credentials }
    #expect(held.keys.failed == 0)
    bench.sandbox.accept(Self.good)
    #expect(try bench.run("reload").code == 0)
    let status = try bench.await { $0.keys.registered == 1_500 }
    #expect(status.keys.failed == 0 && status.hold == nil)
    bench.stop(daemon)
  }

  @Test func aKeyThatIsForbiddenFailsWhileOthersGoOn() throws {
    let keys = randomKeys(100)
    let bench = try Bench(faults: "403:key=\(keys[40]),403:key=\(keys[41])")
    try bench.drop(lines(keys), as: "a")
    #expect(try bench.runUntilDone() == 1)
    let failed = try bench.results("a").filter { $0.contains(",failed,403,") }.map { String($0.prefix(36)) }
    #expect(failed == [keys[40], keys[41]])
  }

  @Test func whatIsTriedAgainLaterIsWaitedForAndTheStatusSaysUntilWhen() throws {
    let keys = randomKeys(3)
    let bench = try Bench(faults: "404:key=\(keys[1])")
    try bench.drop(lines(keys), as: "a")
    let daemon = try bench.start()
    let status = try bench.await { $0.keys.registered == 2 && $0.state == .waiting }
    let reason = try #require(status.reason)
    #expect(reason.hasPrefix("1 key is waiting to be retried, the next at 20") && reason.hasSuffix("Z"), "\(reason)")
    bench.stop(daemon)
  }

  @Test func anOutageFailsNoKeyAndCostsNoAttempt() throws {
    let bench = try Bench(faults: "503")
    try bench.configure("retry:\n  max_attempts: 2\n  first_delay: 10ms\n")
    try bench.drop(lines(randomKeys(60)), as: "a")
    let daemon = try bench.start()
    let status = try bench.await { $0.hold == .outage }
    #expect(status.keys.failed == 0)
    bench.sandbox.impose(.none)
    try bench.await { $0.keys.registered == 60 }
    bench.stop(daemon)
    #expect(try bench.results("a").allSatisfy { $0.contains(",registered,201,1,") })
  }

  @Test func nobodyListeningIsAnOutageThatEndsByItself() throws {
    let bench = try Bench()
    bench.sandbox.stop()
    try bench.drop(lines(randomKeys(30)), as: "a")
    let daemon = try bench.start()
    let status = try bench.await { $0.hold == .outage }
    #expect(status.keys.total == 30 && status.keys.failed == 0)
    #expect(status.requests.transportErrors > 0 && status.requests.sent == 0)
    var configuration = SandboxConfiguration(limit: try Quota(parsing: "1000/1s"))
    configuration.port = bench.port
    let second = try Sandbox(configuration)
    _ = try second.start()
    defer { second.stop() }
    try bench.await { $0.keys.registered == 30 }
    bench.stop(daemon)
  }

  @Test func aKeyThatAlwaysFailsIsGivenUpWhileOthersSucceed() throws {
    let keys = randomKeys(50)
    let bench = try Bench(faults: "500:key=\(keys[7])")
    try bench.configure("retry:\n  max_attempts: 3\n  first_delay: 10ms\n")
    try bench.drop(lines(keys), as: "a")
    #expect(try bench.runUntilDone() == 1)
    let failed = try bench.results("a").filter { $0.contains(",failed,") }
    #expect(failed.count == 1 && failed[0].hasPrefix("\(keys[7]),failed,500,3,"))
  }

  @Test(arguments: ["403", "500"]) func aBadKeyThatIsAllThatIsLeftIsDecidedAfterARestart(fault: String) throws {
    let bad = randomKeys(2)
    let bench = try Bench(faults: bad.map { "\(fault):key=\($0)" }.joined(separator: ","))
    try bench.configure("retry:\n  max_attempts: 3\n  first_delay: 10ms\n")
    try bench.drop(lines(randomKeys(5)), as: "a")
    #expect(try bench.runUntilDone() == 0)
    try bench.drop(lines(bad), as: "b")
    #expect(try bench.runUntilDone() == 1)
    #expect(try bench.results("b").count { $0.contains(",failed,\(fault),") } == 2)
  }

  @Test(arguments: ["captive", "foreign", "truncated"])
  func anAnswerThatDoesNotConfirmTheKeyIsNoSuccess(fault: String) throws {
    let keys = randomKeys(40)
    let bench = try Bench(faults: "\(fault):first=1")
    try bench.configure("retry:\n  max_attempts: 5\n  first_delay: 10ms\n")
    try bench.drop(lines(keys), as: "a")
    #expect(try bench.runUntilDone() == 0)
    #expect(Set(bench.sandbox.registeredKeys.map(\.description)) == Set(keys))
  }

  @Test func resultsThatCannotBeWrittenShowAndAreWrittenOnceTheyCan() throws {
    let bench = try Bench()
    let daemon = try bench.start()
    #expect(try bench.run("pause").code == 0)
    try bench.drop(lines(randomKeys(3)), as: "a")
    try bench.await { $0.lists.total == 1 && $0.lists.incoming == 0 }
    try FileManager.default.removeItem(atPath: bench.spool("results"))
    try "".write(toFile: bench.spool("results"), atomically: false, encoding: .utf8)
    #expect(try bench.run("resume").code == 0)
    try bench.await { $0.hold == .disk && $0.reason?.contains("/results") == true }
    // The daemon creates the folder again.
    try FileManager.default.removeItem(atPath: bench.spool("results"))
    try bench.await { $0.state == .idle }
    #expect(try bench.results("a").count == 3)
    bench.stop(daemon)
  }

  @Test func aListThatCannotBeTakenInShows() throws {
    let bench = try Bench()
    let daemon = try bench.start()
    try FileManager.default.removeItem(atPath: bench.spool("done"))
    try "".write(toFile: bench.spool("done"), atomically: false, encoding: .utf8)
    try bench.drop(lines(randomKeys(3)), as: "a")
    let status = try bench.await { $0.hold == .disk && $0.reason?.contains("/done") == true }
    #expect(status.lists.incoming == 1)
    try FileManager.default.removeItem(atPath: bench.spool("done"))
    try bench.await { $0.keys.registered == 3 && $0.lists.active == 0 && $0.state == .idle }
    // At most once for each of three faults, however often it was looked for: no folder, a file in its place, and no
    // folder again.
    #expect(bench.log.components(separatedBy: "cannot open the folder").count <= 4, "\(bench.log)")
    #expect(bench.log.components(separatedBy: "had disappeared and was created again").count == 2)
    bench.stop(daemon)
  }

  @Test func aRedirectIsNeverFollowed() throws {
    let bench = try Bench(faults: "302")
    try bench.drop(lines(randomKeys(20)), as: "a")
    let daemon = try bench.start()
    let status = try bench.await { $0.hold == .outage }
    #expect(status.reason?.contains("redirects are never followed") == true)
    // At most those that were in flight when the first answer came.
    #expect(bench.sandbox.requestCount <= 20)
    bench.sandbox.impose(.none)
    let requests = try bench.await { $0.keys.registered == 20 && $0.keys.inFlight == 0 }.requests
    // Every reply is in one of the counters.
    #expect(
      requests.sent == requests.created + requests.throttled + requests.clientErrors + requests.serverErrors
        + requests.transportErrors)
    bench.stop(daemon)
  }

  @Test func anotherOrganisationsKeysFailNobody() throws {
    let keys = randomKeys(300)
    let bench = try Bench(faults: "404")
    try bench.drop(lines(keys), as: "a")
    let daemon = try bench.start()
    let status = try bench.await { $0.hold == .refused }
    #expect(status.state == .holding && status.keys.failed == 0 && status.keys.total == 300)
    #expect(status.reason?.contains("404 Not Found: app key not found since ") == true)
    #expect(try bench.client.metrics().contains("keyreg_hold{reason=\"refused\"} 1"))
    // Twenty different keys, and those that were in flight with the last of them.
    #expect(bench.sandbox.requestCount <= 36)
    bench.sandbox.impose(.none)
    #expect(try bench.run("reload").code == 0)
    try bench.await { $0.keys.registered == 300 }
    bench.stop(daemon)
    #expect(try bench.results("a").allSatisfy { $0.contains(",registered,201,1,") })
    #expect(bench.log.contains("holding: only probes are sent") && bench.log.contains("the hold is over"))
  }

  @Test func aListThatIsRefusedWholeDoesNotKeepTheNextOneWaiting() throws {
    let (bad, good) = (randomKeys(40), randomKeys(20))
    let bench = try Bench(faults: bad.map { "403:key=\($0)" }.joined(separator: ","))
    try bench.drop(lines(bad), as: "a")
    let daemon = try bench.start()
    try bench.await { $0.hold == .credentials }
    try bench.drop(lines(good), as: "b")
    // The next canary but one is a key of the other list; forty canaries would take a quarter of an hour.
    try bench.await { $0.keys.registered == 20 }
    bench.stop(daemon)
  }

  @Test func anOperatorMayBelieveWhatTheAPISaysOfEveryKey() throws {
    let bench = try Bench(faults: "422")
    try bench.drop(lines(randomKeys(60)), as: "a")
    let daemon = try bench.start()
    try bench.await { $0.hold == .refused }
    // Ending a pause is something else.
    #expect(try bench.run("pause").code == 0)
    try bench.await { $0.state == .paused }
    #expect(try bench.run("resume").code == 0)
    #expect(try bench.await { $0.state != .paused }.keys.failed == 0)
    try bench.await { $0.hold == .refused && $0.keys.inFlight == 0 }
    #expect(try bench.client.status().keys.failed == 0)
    #expect(try bench.run("resume").code == 0)
    let status = try bench.await { $0.keys.failed == 60 }
    #expect(status.hold == nil)
    // That word was believed. Another is held again.
    bench.sandbox.impose(try FaultPlan(parsing: "409"))
    try bench.drop(lines(randomKeys(60)), as: "b")
    #expect(try bench.await { $0.hold == .refused }.keys.failed == 60)
    bench.stop(daemon)
  }

  @Test(arguments: [400, 403, 404, 409, 410, 422]) func aGatewaysPageFailsNoKey(status: Int) throws {
    let bench = try Bench(faults: "page=\(status)")
    try bench.configure("retry:\n  max_attempts: 2\n  first_delay: 10ms\n")
    try bench.drop(lines(randomKeys(60)), as: "a")
    let daemon = try bench.start()
    let held = try bench.await { $0.hold == .outage }
    #expect(held.keys.failed == 0)
    #expect(held.reason?.contains("gateway.example") == true && held.reason?.contains("api.url") == true)
    bench.sandbox.impose(.none)
    try bench.await { $0.keys.registered == 60 }
    bench.stop(daemon)
    #expect(try bench.results("a").allSatisfy { $0.contains(",registered,201,1,") })
  }

  @Test func aFewKeysThatTheAPIRefusesFailWhenNothingElseIsLeft() throws {
    let bench = try Bench(faults: "410")
    try bench.drop(lines(randomKeys(3)), as: "a")
    #expect(try bench.runUntilDone() == 1)
    #expect(try bench.results("a").allSatisfy { $0.contains(",failed,410,1,") })
  }

  @Test func aKeyThatIsNotKnownYetIsLookedAtLater() throws {
    let keys = randomKeys(20)
    let bench = try Bench(faults: "404:key=\(keys[3])")
    try bench.drop(lines(keys), as: "a")
    let daemon = try bench.start()
    let status = try bench.await { $0.keys.registered == 19 && $0.keys.retrying == 1 }
    #expect(status.keys.failed == 0)
    let key = try bench.run("key", keys[3], "--json").output
    #expect(key.contains("next_attempt_at") && key.contains("app key not found"))
    bench.stop(daemon)
  }

  /// libcurl would silently send it again.
  @Test func everyRequestThatTheServerSawIsCounted() throws {
    let bench = try Bench(faults: "lost:30%")
    try bench.drop(lines(randomKeys(200)), as: "a")
    let daemon = try bench.start()
    let requests = try bench.await { $0.keys.registered == 200 && $0.keys.inFlight == 0 }.requests
    #expect(try bench.journal().count == requests.sent)
    #expect(requests.sent == requests.created + requests.transportErrors && requests.transportErrors > 30)
    bench.stop(daemon)
  }

  @Test func aRefusalOfTheRateLimitCostsNoAttempt() throws {
    let bench = try Bench(limit: "20/1s", faults: "edge429:10%")
    try bench.drop(lines(randomKeys(60)), as: "a")
    #expect(try bench.runUntilDone() == 0)
    #expect(try bench.results("a").allSatisfy { $0.contains(",registered,201,1,") })
  }

  @Test(arguments: [302, 401]) func oneKeyWithWhatIsNoKeysFaultKeepsNobodyAndIsNotCharged(status: Int) throws {
    let keys = randomKeys(60)
    let bench = try Bench(faults: "\(status):key=\(keys[9])")
    try bench.configure("retry:\n  max_attempts: 2\n  first_delay: 10ms\n")
    try bench.drop(lines(keys), as: "a")
    let daemon = try bench.start()
    try bench.await { $0.keys.registered == 59 }
    let asked = { try bench.journal().count { $0.key == keys[9] } }
    // More often than it has attempts.
    try bench.await { _ in ((try? asked()) ?? 0) > 3 }
    #expect(try bench.client.status().keys.failed == 0)
    bench.sandbox.impose(.none)
    try bench.await { $0.keys.registered == 60 }
    bench.stop(daemon)
    #expect(try bench.results("a").allSatisfy { $0.contains(",registered,201,1,") })
  }

  /// It would go on in a file that nobody finds again. Nothing is left to do, so no key and no result shows it.
  @Test func anIdleDaemonHoldsWhileItsQueueIsGone() throws {
    let bench = try Bench()
    let daemon = try bench.start()
    try bench.drop(lines(randomKeys(5)), as: "a")
    try bench.await { $0.keys.registered == 5 && $0.state == .idle }
    let (here, away) = (bench.path("state/queue.sqlite"), bench.path("away"))
    try FileManager.default.moveItem(atPath: here, toPath: away)
    let held = try bench.await { $0.hold == .disk }
    #expect(held.reason?.contains("was removed or replaced") == true)
    try FileManager.default.moveItem(atPath: away, toPath: here)
    try bench.await { $0.hold == nil && $0.state == .idle }
    bench.stop(daemon)
  }
}
