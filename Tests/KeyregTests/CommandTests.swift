import Foundation
import SandboxAPI
import Testing

/// Commands, their exit codes and their errors.
@Suite struct CommandTests {
  @Test func everyCommandHasHelp() throws {
    let bench = try Bench()
    for command in [
      "run", "submit", "status", "lists", "outcomes", "key", "retry", "pause", "resume", "cancel", "reload", "check",
      "sandbox", "demo",
    ] {
      let help = try bench.run(command, "--help")
      #expect(help.code == 0 && help.output.contains("USAGE: keyreg \(command)") && help.errors.isEmpty)
    }
    #expect(try bench.run("--version").output.hasPrefix("0."))
    for shell in ["bash", "zsh", "fish"] {
      #expect(try bench.run("--generate-completion-script", shell).output.contains("submit"))
    }
  }

  @Test func tooFewFilesAreSaidInWords() throws {
    let bench = try Bench()
    bench.limitFiles(to: 20)
    let daemon = try bench.run("run", "--config", bench.path("keyreg.yaml"))
    #expect(daemon.code == 78 && daemon.errors.contains("at most 20 files may be open at once"), "\(daemon)")
    #expect(daemon.errors.contains("hint: raise the limit"))
  }

  @Test func mistakesHaveTheirExitCodesAndHints() throws {
    let bench = try Bench()
    func expect(_ code: Int32, _ arguments: String..., says text: String) throws {
      let process = Outcome(try run(bench, arguments))
      #expect(process.code == code, "\(arguments): \(process.errors)")
      #expect(process.errors.hasPrefix("keyreg: error: ") && process.errors.contains(text), "\(process.errors)")
      #expect(process.output.isEmpty)
    }
    try expect(64, "bogus", says: "bogus")
    try expect(64, "status", "--bogus", says: "--bogus")
    try expect(64, "key", "no-uuid", says: "no-uuid")
    try expect(3, "status", says: "not running")
    // The path cannot be used: only for status is that a code of its own.
    let long = bench.path(String(repeating: "x", count: 200))
    try expect(4, "status", "--socket", long, says: "cannot be reached")
    try expect(74, "pause", "--socket", long, says: "cannot be reached")
    try expect(66, "submit", "/nonexistent", says: "/nonexistent")
    try "not a key\n".write(toFile: bench.path("bad"), atomically: true, encoding: .utf8)
    try expect(65, "submit", bench.path("bad"), says: "hint: ")
    try bench.configure("workers: 65\n")
    try expect(78, "run", "--config", bench.path("keyreg.yaml"), says: "keyreg.yaml:1:10")
    try bench.configure("retry:\n  max_attempts: 3\nworker: 3\n")
    try expect(78, "check", "--config", bench.path("keyreg.yaml"), says: "keyreg.yaml:3:1: unknown setting “worker”")
    try Data([0x73, 0x3a, 0x20, 0x0a, 0x61, 0xff]).write(to: URL(filePath: bench.path("bytes.yaml")))
    try expect(78, "check", "--config", bench.path("bytes.yaml"), says: "bytes.yaml:2:2: this is not UTF-8")
    try expect(78, "check", "--config", bench.folder.path, says: "Is a directory")
    try expect(78, "check", "--config", bench.path("missing.yaml"), says: "missing.yaml")
    bench.environment["DD_SITE"] = "datadoghq.con"
    try expect(78, "check", says: "did you mean datadoghq.com?")
    bench.environment["DD_SITE"] = nil
    bench.environment["KEYREG_API_URL"] = "http://example.org"
    try expect(78, "check", says: "loopback")
    bench.environment["KEYREG_API_URL"] = "https://127.0.0.1:1"
  }

  private struct Outcome {
    var code: Int32
    var output: String
    var errors: String

    init(_ outcome: Bench.Outcome) {
      (code, output, errors) = (outcome.code, outcome.output, outcome.errors)
    }
  }

  private func run(_ bench: Bench, _ arguments: [String]) throws -> Bench.Outcome {
    switch arguments.count {
    case 1: try bench.run(arguments[0])
    case 2: try bench.run(arguments[0], arguments[1])
    default: try bench.run(arguments[0], arguments[1], arguments[2])
    }
  }

  @Test func checkShowsValuesAndOriginsButNoSecret() throws {
    let bench = try Bench()
    try bench.configure("workers: 3\n")
    let check = try bench.run("check", "--config", bench.path("keyreg.yaml"))
    #expect(check.code == 0)
    #expect(check.output.contains("keyreg.yaml:1:10") && check.output.contains("environment KEYREG_SPOOL"))
    #expect(!check.output.contains("test-api-key") && !check.output.contains("test-app-key"))
    let online = try bench.run("check", "--online")
    #expect(online.code == 0 && online.output.contains("accepts the credentials"))
    bench.sandbox.accept(.init(apiKey: "x", applicationKey: "y"))
    #expect(try bench.run("check", "--online").code == 77)
    bench.sandbox.stop()
    #expect(try bench.run("check", "--online").code == 69)
  }

  @Test func theDaemonChecksCredentialsThatOnlyItHas() throws {
    let bench = try Bench()
    let daemon = try bench.start()
    bench.environment["DD_APP_KEY"] = .some(nil)
    let check = try bench.run("check", "--online")
    #expect(check.code == 0, "\(check.errors)")
    #expect(check.output.contains("credentials: those of the daemon"))
    #expect(check.output.contains("accepts the credentials"))
    bench.stop(daemon)
    #expect(try bench.run("check", "--online").code == 78)
  }

  @Test(arguments: [("403", 77, "answered 403: Forbidden"), ("captive", 69, "the answer is not the API's")])
  func whatTheDaemonsCheckFindsIsTheExitStatus(fault: String, code: Int, words: String) throws {
    let bench = try Bench(faults: fault)
    let daemon = try bench.start()
    bench.environment["DD_APP_KEY"] = .some(nil)
    let check = try bench.run("check", "--online")
    #expect(check.code == Int32(code), "\(check.errors)")
    #expect(check.errors.contains(words) && check.errors.contains("hint: "), "\(check.errors)")
    bench.stop(daemon)
  }

  @Test func aCredentialFileThatOthersCanReadIsRefused() throws {
    let bench = try Bench()
    bench.sandbox.impose(try FaultPlan(parsing: "captive"))
    #expect(try bench.run("check", "--online").code == 69)
    bench.sandbox.impose(.none)
    bench.environment["DD_API_KEY"] = .some(nil)
    try "secret\n".write(toFile: bench.path("api-key"), atomically: true, encoding: .utf8)
    chmod(bench.path("api-key"), 0o644)
    try bench.configure("api:\n  api_key_file: \(bench.path("api-key"))\n")
    let open = try bench.run("check", "--config", bench.path("keyreg.yaml"))
    #expect(open.code == 77 && open.errors.contains("chmod 600") && !open.errors.contains("secret"))
    chmod(bench.path("api-key"), 0o600)
    #expect(try bench.run("check", "--config", bench.path("keyreg.yaml")).code == 0)
  }

  @Test func aReloadSaysWhatItCouldNotDo() throws {
    let bench = try Bench()
    bench.environment["DD_API_KEY"] = .some(nil)
    bench.environment["KEYREG_STATE"] = .some(nil)
    try "secret\n".write(toFile: bench.path("api-key"), atomically: true, encoding: .utf8)
    chmod(bench.path("api-key"), 0o600)
    let settings = { (state: String) in
      "api:\n  api_key_file: \(bench.path("api-key"))\nstate_directory: \(bench.path(state))\n"
    }
    try bench.configure(settings("one"))
    let daemon = try bench.start()
    try bench.configure(settings("two"))
    let reload = try bench.run("reload")
    #expect(reload.code == 0 && reload.errors.contains("takes effect only after a restart: state_directory"))
    // Another reload changes nothing, and still says what needs a restart.
    let again = try bench.run("reload")
    #expect(again.output == "reloaded\n" && again.errors.contains("takes effect only after a restart: state_directory"))
    try bench.configure(settings("one"))
    let back = try bench.run("reload")
    #expect(back.output == "reloaded: state_directory\n" && !back.errors.contains("restart"))
    chmod(bench.path("api-key"), 0o644)
    let refused = try bench.run("reload")
    #expect(
      refused.code == 77 && refused.errors.contains("accessible to its group") && !refused.errors.contains("secret"))
    bench.stop(daemon)
  }

  @Test func aSecondDaemonIsToldWhoOwnsTheState() throws {
    let bench = try Bench()
    let first = try bench.start()
    let second = try bench.run("run", "--config", bench.path("keyreg.yaml"))
    #expect(second.code == 75 && second.errors.contains("pid \(first.processIdentifier)"))
    bench.environment["KEYREG_STATE"] = bench.path("state2")
    let third = try bench.run("run", "--config", bench.path("keyreg.yaml"))
    #expect(third.code == 75)
    #expect(try bench.client.status().pid == Int(first.processIdentifier))
    bench.murder(first)
    // Its socket is still there; the next daemon replaces it.
    let next = try bench.start()
    bench.stop(next)
    #expect(!FileManager.default.fileExists(atPath: bench.socket))
  }

  /// 34 of 35 keys are registered.
  private func outcomesAreChosen(_ bench: Bench, failed: String) throws {
    func rows(_ arguments: String...) throws -> [Substring] {
      try bench.run(["outcomes", "--format", "jsonl"] + arguments).output.split(separator: "\n")
    }
    #expect(try rows("--error", "BEING changed").map { $0.contains(failed) } == [true])
    #expect(try rows("--error", "409").count == 1)
    #expect(try rows("--error", "being changed", "--list", "piped").isEmpty)
    #expect(try rows("--limit", "7").count == 7)
    #expect(try rows("--limit", "7", "--list", "piped").count == 5)
    #expect(try rows("--since", "1h").count == 35)
    #expect(try rows("--since", "2026-01-01T00:00:00+01:00").count == 35)
    #expect(try rows("--since", "2099-01-01T00:00:00Z").isEmpty)
    let summary = try bench.run("outcomes", "--summary").output.split(separator: "\n").map { $0.split(separator: " ") }
    #expect(summary.count == 3 && summary[1].prefix(3) == ["34", "registered", "201"])
    #expect(summary[2].prefix(3) == ["1", "failed", "409"])
    for wrong in [["--limit", "0"], ["--since", "yesterday"], ["--summary", "--format", "csv"]] {
      #expect(try bench.run(["outcomes"] + wrong).code == 64)
    }
  }

  @Test func listsAreSubmittedWaitedForAndLookedAt() throws {
    let keys = randomKeys(30)
    let bench = try Bench(faults: "409:key=\(keys[3])")
    let daemon = try bench.start()
    try lines(keys).write(toFile: bench.path("team.txt"), atomically: true, encoding: .utf8)
    #expect(try bench.run("submit", bench.path("team.txt")).output == "team.txt\n")
    #expect(try bench.run("status", "--wait", "team.txt").code == 1)
    let piped = try bench.run("submit", "--name", "piped", "-", input: lines(randomKeys(5)))
    #expect(piped.output == "piped\n")
    #expect(try bench.run("status", "--wait", "piped").code == 0)
    #expect(try bench.run("status", "--wait", "nowhere", "--timeout", "300ms").code == 75)
    try bench.drop("nothing\n", as: "useless")
    let useless = try bench.run("status", "--wait", "useless")
    #expect(useless.code == 65 && useless.errors.contains("rejected/useless.reason.txt"))
    let csv = try bench.run("outcomes", "--list", "team.txt", "--format", "csv").output
    #expect(try csv == String(contentsOfFile: bench.spool("results/team.txt.csv"), encoding: .utf8))
    #expect(try bench.run("outcomes", "--state", "failed", "--format", "jsonl").output.contains(keys[3]))
    #expect(try bench.run("outcomes").output.split(separator: "\n").count == 36)
    try outcomesAreChosen(bench, failed: keys[3])
    let key = try bench.run("key", keys[3].uppercased()).output
    #expect(key.contains("failed") && key.contains("team.txt") && key.contains("being changed"))
    #expect(try bench.run("key", randomKeys(1)[0]).code == 66)
    #expect(try bench.run("lists").output.contains("team.txt"))
    #expect(try bench.run("lists", "--json").output.contains("\"name\":\"piped\""))
    #expect(try bench.run("status", "--json").output.contains("\"total\":35"))
    bench.sandbox.impose(.none)
    let unknown = randomKeys(1)[0]
    let none = try bench.run("retry", keys[0], unknown)
    #expect(none.code == 66 && none.output.hasPrefix("0 keys") && none.errors.contains(unknown))
    #expect(try bench.run("retry", keys[0]).code == 0)
    #expect(try bench.run("retry", "--list", "team.txt", "--error", "being changed").output.hasPrefix("1 key"))
    #expect(try bench.run("status", "--wait").code == 0)
    bench.stop(daemon)
  }

  @Test func forcedListsRegisterAgain() throws {
    let bench = try Bench()
    let keys = randomKeys(5)
    try lines(keys).write(toFile: bench.path("a"), atomically: true, encoding: .utf8)
    #expect(try bench.run("submit", bench.path("a")).code == 0)
    #expect(try bench.runUntilDone() == 0)
    #expect(try bench.run("submit", "--force", bench.path("a")).output == "a.2\n")
    #expect(try bench.runUntilDone() == 0)
    #expect(try bench.journal().count == 10)
    #expect(try bench.names(in: "incoming").isEmpty)
  }

  @Test func cancellingEndsAListAndKeepsItsResults() throws {
    let bench = try Bench(limit: "5/1h")
    try bench.drop(lines(randomKeys(50)), as: "long")
    let daemon = try bench.start()
    try bench.await { $0.keys.registered >= 1 && $0.keys.inFlight == 0 }
    #expect(try bench.run("cancel", "nowhere").code == 66)
    #expect(try bench.run("cancel", "long").code == 0)
    let status = try bench.await { $0.keys.pending == 0 && $0.lists.active == 0 }
    #expect(status.keys.cancelled >= 40 && status.keys.registered >= 1)
    #expect(try bench.run("status", "--wait", "long").code == 1)
    bench.stop(daemon)
    #expect(try bench.results("long").count == 50)
  }

  @Test func aListThatIsDoneIsNotCancelled() throws {
    let bench = try Bench()
    try bench.drop(lines(randomKeys(3)), as: "a")
    let daemon = try bench.start()
    #expect(try bench.run("status", "--wait", "a").code == 0)
    let cancel = try bench.run("cancel", "a")
    #expect(cancel.code == 64 && cancel.output.isEmpty && cancel.errors.contains("is done: nothing is left to cancel"))
    #expect(try bench.client.list("a").state == .done)
    bench.stop(daemon)
  }

  @Test func progressIsOfTheListsThatAreOpen() throws {
    let bench = try Bench()
    try bench.drop(lines(randomKeys(5)), as: "a")
    let daemon = try bench.start()
    let done = try bench.await { $0.keys.registered == 5 && $0.lists.active == 0 }
    #expect(done.progress.done == 5 && done.progress.fraction == 1 && done.lastSuccessAt != nil)
    #expect(try bench.run("pause", "--reason", "lunch").code == 0)
    let paused = try bench.client.status()
    #expect(paused.reason == "lunch")
    #expect(try bench.run("pause").code == 0)
    try bench.drop(lines(randomKeys(10)), as: "b")
    try bench.drop("nothing\n", as: "c")
    let open = try bench.await { $0.keys.pending == 10 && $0.lists.rejected == 1 }
    #expect(open.progress.done == 0 && open.progress.fraction == 0 && open.progress.etaSeconds == nil)
    #expect(open.keys.total == 15 && open.lists.active == 1)
    #expect(open.since == paused.since && open.since >= done.now && open.since <= paused.now)
    bench.stop(daemon)
  }

  @Test func aSecretInAPausesReasonIsNeitherKeptNorShown() throws {
    let bench = try Bench()
    let daemon = try bench.start()
    let secret = String(repeating: "a1b2c3d4", count: 5)
    #expect(try bench.run("pause", "--reason", "rotating \(secret)").code == 0)
    let status = try bench.run("status", "--json").output
    #expect(status.contains("rotating") && !status.contains(secret))
    bench.murder(daemon)
    for name in try bench.names(in: "../state") {
      let bytes = try Data(contentsOf: URL(filePath: bench.path("state/\(name)")))
      #expect(bytes.range(of: Data(secret.utf8)) == nil, "\(name)")
    }
  }

  @Test func theSocketSpeaksHTTPToCurl() throws {
    let bench = try Bench()
    try bench.configure("control:\n  mode: \"0600\"\n")
    let daemon = try bench.start()
    var status = stat()
    #expect(stat(bench.socket, &status) == 0 && status.st_mode & 0o777 == 0o600)
    let receipt = try bench.client.submit(Array(lines(randomKeys(3)).utf8), name: "by-socket")
    #expect(String(decoding: receipt, as: UTF8.self).contains("\"accepted\":3"))
    try bench.await { $0.keys.registered == 3 }
    bench.stop(daemon)
    #expect(try bench.names(in: "done") == ["by-socket", "by-socket.receipt.json"])
  }

  @Test func credentialsThatCannotBeThoseAreRefusedBeforeAnythingIsSent() throws {
    let bench = try Bench()
    for (key, words) in [("${DD_APP_KEY}", "variable"), ("test-api-key", "the same value")] {
      bench.environment["DD_APP_KEY"] = key
      for command in [["check"], ["run", "--until-done"]] {
        let outcome = try bench.run(command + ["--config", bench.path("keyreg.yaml")])
        #expect(outcome.code == 78 && outcome.errors.contains(words) && outcome.errors.contains("hint: "))
      }
    }
    #expect(bench.sandbox.requestCount == 0)
  }

  @Test func aBaseURLMayEndInAPathOfTheAPIsOwn() throws {
    let bench = try Bench()
    bench.environment["KEYREG_API_URL"] = "http://127.0.0.1:\(bench.port)/api/"
    try bench.drop(lines(randomKeys(20)), as: "a")
    #expect(try bench.runUntilDone() == 0)
  }
}
