import ControlAPI
import Foundation
import TestSupport
import Testing

/// What an operator sees of a real daemon.
struct SeenTests {
  @Test func theHistorySurvivesARestart() throws {
    let bench = try Bench()
    let first = try bench.start()
    try bench.drop(lines(randomKeys(20)), as: "a")
    try bench.await { $0.keys.registered == 20 }
    bench.stop(first)
    let second = try bench.start()
    let minutes = try bench.client.history().minutes
    #expect(minutes.reduce(0) { $0 + $1.registered } == 20)
    #expect(minutes.contains { $0.latency.p50 != nil })
    bench.stop(second)
  }

  @Test func aKillLosesNoOutcomeOfTheHistory() throws {
    let bench = try Bench()
    let first = try bench.start()
    try bench.drop(lines(randomKeys(20)), as: "a")
    try bench.await { $0.keys.registered == 20 }
    bench.murder(first)
    let second = try bench.start()
    #expect(try bench.client.history().minutes.reduce(0) { $0 + $1.registered } == 20)
    #expect(try bench.client.limits().hours.reduce(0) { $0 + $1.registered } == 20)
    bench.stop(second)
  }

  @Test func everyAnswerOfADaemonIsAsDescribed() throws {
    let keys = randomKeys(10)
    let bench = try Bench(faults: "409:key=\(keys[3])")
    let daemon = try bench.start()
    try bench.drop(lines(keys), as: "a")
    try bench.drop("no key\n", as: "rejected")
    try bench.await { $0.keys.failed == 1 && $0.keys.registered == 9 && $0.lists.rejected == 1 }
    let description = try APIDescription(Data(try bench.get("/v1/openapi.json").body.utf8))
    for (path, target) in [
      ("/v1/status", "/v1/status"), ("/v1/lists", "/v1/lists?limit=1"), ("/v1/lists", "/v1/lists"),
      ("/v1/lists/{name}", "/v1/lists/a"), ("/v1/lists/{name}", "/v1/lists/rejected"),
      ("/v1/lists/{name}", "/v1/lists/none"), ("/v1/outcomes", "/v1/outcomes?state=failed"),
      ("/v1/outcomes", "/v1/outcomes?format=csv"), ("/v1/history", "/v1/history"), ("/v1/limits", "/v1/limits"),
      ("/v1/keys/{id}", "/v1/keys/\(keys[3])"), ("/healthz", "/healthz"), ("/metrics", "/metrics"), ("/", "/"),
      ("/lists/{name}", "/lists/a"), ("/assets/{name}", "/assets/page.css"),
    ] {
      let answer = try bench.get(target)
      let flaws = description.flaws("GET", path, status: answer.status, contentType: answer.type, body: answer.body)
      #expect(flaws.isEmpty, "\(target)")
    }
    #expect(try bench.get("/lists/a").body.contains("Failures"))
    #expect(try bench.get("/").body.contains("Rejected lists"))
    bench.stop(daemon)
  }

  @Test func aListIsShownAndAMistypedNameGetsTheNearest() throws {
    let bench = try Bench()
    let daemon = try bench.start()
    try bench.drop(lines(randomKeys(3)), as: "team-a.txt")
    #expect(try bench.run("status", "--wait", "team-a.txt").code == 0)
    let shown = try bench.run("status", "team-a.txt")
    #expect(shown.code == 0 && shown.output.contains("100.0 %  team-a.txt"), "\(shown.output)")
    #expect(try bench.run("status", "team-a.txt", "--json").output.contains("\"name\":\"team-a.txt\""))
    let typo = try bench.run("status", "taem-a.txt")
    #expect(typo.code == 66 && typo.errors.contains("hint: did you mean “team-a.txt”?"), "\(typo.errors)")
    for words in [["set", "--priority", "9"], ["retry", "--list"], ["cancel"]] {
      let typo = try bench.run(words + ["taem-a.txt"])
      #expect(typo.code == 66 && typo.errors.contains("hint: did you mean “team-a.txt”?"), "\(words) \(typo)")
    }
    let command = try bench.run("statsu")
    #expect(command.code == 64 && command.errors.contains("hint: did you mean keyreg status?"), "\(command.errors)")
    #expect(try bench.run("instances", "--json").output.contains("\"instances\":["))
    bench.stop(daemon)
  }

  @Test func requestsThatCouldNotBeSentShowInMetrics() throws {
    let bench = try Bench()
    // Nothing listens there.
    bench.environment["KEYREG_API_URL"] = "http://127.0.0.1:1"
    let daemon = try bench.start()
    try bench.drop(lines(randomKeys(20)), as: "a")
    let errors = try bench.await { $0.hold == .outage }.requests.transportErrors
    let metric = try bench.client.metrics().split(separator: "\n").last {
      $0.hasPrefix("keyreg_transport_errors_total ")
    }
    #expect(errors > 0 && (Int(metric?.split(separator: " ").last ?? "") ?? 0) >= errors)
    bench.stop(daemon)
  }

  @Test func outcomesAndListsAreFollowed() throws {
    let bench = try Bench()
    let daemon = try bench.start()
    let before = randomKeys(3)
    try bench.drop(lines(before), as: "before")
    try bench.await { $0.keys.registered == 3 }
    let outcomes = try bench.follow("outcomes", "-f", "--format", "csv")
    let list = try bench.follow("lists", "--watch")
    try outcomes.read(untilAll: before)
    // Both are watching before anything more happens.
    try list.read(until: "3 of 3 keys (100.0 %)")
    let keys = randomKeys(3)
    try bench.drop(lines(keys), as: "a")
    try outcomes.read(untilAll: keys)
    try list.read(until: "6 of 6 keys (100.0 %)")
    let one = try bench.follow("status", "--watch", "a")
    try one.read(until: "a: 3 of 3 keys (100.0 %)")
    for command in [list, one] { bench.murder(command.process) }
    bench.stop(daemon)
    outcomes.process.waitUntilExit()
    #expect(outcomes.process.terminationStatus == 3)
  }
}

extension Bench {
  /// What curl gets from the socket.
  fileprivate func get(_ target: String) throws -> (status: Int, type: String, body: String) {
    let curl = Process()
    let output = Pipe()
    curl.executableURL = URL(filePath: "/usr/bin/curl")
    curl.arguments = [
      "-s", "--unix-socket", socket, "-w", "\n%{http_code} %{content_type}", "http://localhost" + target,
    ]
    curl.standardOutput = output
    try curl.run()
    let text = String(decoding: try output.fileHandleForReading.readToEnd() ?? Data(), as: UTF8.self)
    curl.waitUntilExit()
    let end = try #require(text.lastIndex(of: "\n"))
    let parts = text[text.index(after: end)...].split(separator: " ", maxSplits: 1)
    return (try #require(Int(parts[0])), String(parts.last ?? ""), String(text[..<end]))
  }
}
