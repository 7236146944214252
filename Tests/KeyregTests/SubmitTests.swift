import Foundation
import Glibc
import Registration
import Testing

/// What `keyreg submit` accepts, and what no command ever shows.
struct SubmitTests {
  private let secret = "0123456789abcdef0123456789abcdef01234567"

  private func bench() throws -> Bench {
    let bench = try Bench()
    try FileManager.default.createDirectory(atPath: bench.path("spool/incoming"), withIntermediateDirectories: true)
    return bench
  }

  @Test func a_list_that_is_cut_short_is_taken_only_when_that_is_said() throws {
    let bench = try bench()
    let ids = randomKeys(1_000).map { "\"\($0)\"" }
    let list = "[" + ids[..<2].joined(separator: ",") + "}," + ids[2...].joined(separator: ",") + "]\n"
    try list.write(toFile: bench.path("cut.json"), atomically: true, encoding: .utf8)
    let refused = try bench.run("submit", bench.path("cut.json"))
    #expect(refused.code == 65)
    #expect(refused.output.isEmpty)
    #expect(
      refused.errors.contains("cut.json:1: the list is cut short by an error: read to byte 79 of \(list.utf8.count)"))
    #expect(refused.errors.contains("--partial"))
    #expect(try FileManager.default.contentsOfDirectory(atPath: bench.path("spool/incoming")) == [])
    let taken = try bench.run("submit", "--partial", bench.path("cut.json"))
    #expect(taken.code == 0 && taken.output == "cut.json\n")
    #expect(taken.errors.contains("nothing after it on its line was read"))
  }

  @Test func a_dry_run_says_what_would_happen_and_changes_nothing() throws {
    let bench = try Bench()
    let ids = randomKeys(60)
    let old = (ids[..<50] + [ids[0], "nope"]).joined(separator: "\n") + "\n"
    try old.write(toFile: bench.path("old"), atomically: true, encoding: .utf8)
    let alone = try bench.run("submit", "--dry-run", bench.path("old"))
    #expect(alone.code == 0 && alone.output == "old: text, 51 keys, 1 bad line, no daemon to ask which are known\n")
    try bench.run("submit", bench.path("old"))
    #expect(try bench.run("run", "--until-done").code == 0)
    _ = try bench.start()
    let list = "name,app_key_id\n" + ids[40...].map { "x,\($0)\n" }.joined() + "x,\(ids[59])\n"
    try list.write(toFile: bench.path("new.csv"), atomically: true, encoding: .utf8)
    let requests = bench.sandbox.requestCount
    let found = try bench.run("submit", "--dry-run", bench.path("new.csv"))
    #expect(
      found.output.hasPrefix(
        "new.csv: CSV, column app_key_id, 10 new keys, 10 known (10 of them registered), 1 repeated, 0 bad lines\n10 requests"
      ),
      "\(found)")
    let forced = try bench.run("submit", "--dry-run", "--force", bench.path("new.csv"))
    #expect(forced.output.contains("\n20 requests"), "\(forced)")
    for folder in ["incoming", "reading", "rejected"] {
      #expect(try FileManager.default.contentsOfDirectory(atPath: bench.spool(folder)) == [])
    }
    #expect(bench.sandbox.requestCount == requests)
    let refused = try bench.run("submit", "--dry-run", "-", input: "nope\n")
    #expect(refused.code == 65 && refused.output.isEmpty)
    let taken = try bench.run("submit", bench.path("new.csv"))
    #expect(
      taken.output == "new.csv\n"
        && taken.errors.hasPrefix(
          "keyreg: main instance, http://127.0.0.1:\(bench.port)\nnew.csv: CSV, column app_key_id, 10 new keys")
    )
  }

  /// Otherwise the list would lie where nobody reads it, and the command would have said that all is well.
  @Test func aListReachesTheDaemonThatIsNamedByItsSocketAlone() throws {
    let bench = try Bench()
    let daemon = try bench.start()
    for name in ["KEYREG_SPOOL", "KEYREG_SOCKET", "KEYREG_STATE"] { bench.environment[name] = .some(nil) }
    try lines(randomKeys(3)).write(toFile: bench.path("list"), atomically: true, encoding: .utf8)
    let taken = try bench.run("submit", "--socket", bench.socket, bench.path("list"))
    #expect(taken.code == 0 && taken.output == "list\n", "\(taken.errors)")
    #expect(taken.errors.hasPrefix("keyreg: main instance, http://127.0.0.1:\(bench.port)\n"))
    try bench.await { $0.keys.registered == 3 }
    // A spool that is named must be the daemon's.
    bench.environment["KEYREG_SPOOL"] = bench.path("elsewhere")
    try FileManager.default.createDirectory(atPath: bench.path("elsewhere/incoming"), withIntermediateDirectories: true)
    let other = try bench.run("submit", "--socket", bench.socket, bench.path("list"))
    #expect(other.code == 78 && other.errors.contains("serves the spool \(bench.path("spool")), not "), "\(other)")
    #expect(try FileManager.default.contentsOfDirectory(atPath: bench.path("elsewhere/incoming")) == [])
    bench.environment["KEYREG_SPOOL"] = .some(nil)
    bench.stop(daemon)
    let alone = try bench.run("submit", "--socket", bench.socket, bench.path("list"))
    #expect(alone.code == 3 && alone.errors.contains("nothing was submitted"), "\(alone)")
    #expect(try bench.names(in: "incoming") == [])
  }

  @Test func a_pipe_is_read_as_it_comes() throws {
    let bench = try bench()
    let fifo = bench.path("pipe")
    try #require(mkfifo(fifo, 0o600) == 0)
    let writer = Process()
    writer.executableURL = URL(filePath: "/bin/sh")
    writer.arguments = ["-c", "{ printf '%s\\n' $1; printf '%s\\n' $2; } > $0", fifo] + randomKeys(2)
    try writer.run()
    let taken = try bench.run("submit", fifo)
    writer.waitUntilExit()
    #expect(taken.code == 0, "\(taken.errors)")
    let list = try String(contentsOfFile: bench.path("spool/incoming/pipe"), encoding: .utf8)
    #expect(list.split(separator: "\n").count == 2)
  }

  @Test func what_cannot_be_text_is_refused_at_its_first_block() throws {
    let refused = try bench().run("submit", "/dev/zero")
    #expect(refused.code == 65)
    #expect(refused.errors.contains("the list is binary: it contains NUL bytes"))
  }

  @Test func no_command_shows_what_looks_like_a_secret() throws {
    let bench = try bench()
    try "\(secret)\nDD_API_KEY=\(secret.prefix(32))\n".write(
      toFile: bench.path("keys"), atomically: true, encoding: .utf8)
    bench.environment["HTTPS_PROXY"] = "http://user:pa55word@host:99999"
    for arguments in [["key", secret], ["submit", bench.path("keys")], ["retry", "x" + secret], ["check"]] {
      let process =
        switch arguments.count {
        case 1: try bench.run(arguments[0])
        default: try bench.run(arguments[0], arguments[1])
        }
      let said = process.output + process.errors
      #expect(!said.contains(secret.dropFirst(8).prefix(20)) && !said.contains("pa55word"), "\(arguments): \(said)")
      #expect(said.contains("(redacted)"))
    }
  }

  @Test func aSecretInTheNameOfAListIsShownNowhere() throws {
    let bench = try Bench()
    let secrets = [
      "0123456789abcdef0123456789abcdef01234567", "ddapp_Ab3dEf6hIj9lMn2p", "0123456789abcdef0123456789abcdef",
    ]
    let keys = randomKeys(8)
    try bench.drop(lines(keys[0..<2]), as: secrets[0])
    try bench.drop(lines(keys[2..<4]), as: "DD_API_KEY=\(secrets[2])")
    try bench.drop(lines(keys[4..<5]), as: "DD_API_KEY=\(secrets[2]).2")
    try bench.drop("no key\n", as: "\(secrets[1]).csv")
    try FileManager.default.createDirectory(
      atPath: bench.spool("incoming/\(secrets[0]).d"), withIntermediateDirectories: true)
    let daemon = try bench.start()
    try bench.await { $0.keys.registered == 5 && $0.lists.rejected == 1 && $0.lists.active == 0 }
    try lines(keys[5..<6]).write(toFile: bench.path(secrets[1]), atomically: false, encoding: .utf8)
    // The name is taken: it was made from another secret.
    #expect(try bench.run("submit", bench.path(secrets[1])).output == "(redacted).2\n")
    let named = try bench.run("submit", "--name", secrets[0], "-", input: lines(keys[6..<7]))
    #expect(named.code == 64 && named.errors.contains("secret"))
    try bench.await { $0.keys.registered == 6 && $0.lists.active == 0 }
    var shown = bench.log + named.errors
    for command in [["lists", "--json"], ["lists"], ["status", "--json"], ["outcomes"], ["key", keys[0]]] {
      shown += try bench.run(command).output
    }
    bench.stop(daemon)
    for place in ["reading", "done", "rejected", "results"] {
      for name in try bench.names(in: place) {
        shown += name
        shown += try String(contentsOfFile: bench.spool("\(place)/\(name)"), encoding: .utf8)
      }
    }
    for secret in secrets { #expect(!shown.contains(secret)) }
    #expect(try bench.names(in: "done").filter { !$0.hasSuffix(".json") }.count == 4)
    // Each is found again under its name.
    #expect(try bench.runUntilDone() == 0, "\(bench.log)")
    #expect(!bench.log.contains("the queue does not know them"))
  }

  @Test func the_name_that_is_printed_is_the_lists() throws {
    let bench = try Bench()
    let daemon = try bench.start()
    let keys = randomKeys(24)
    let commands = try keys.map { key in
      try key.write(toFile: bench.path("list-\(key)"), atomically: true, encoding: .utf8)
      return try bench.follow("submit", "--name", "same.txt", bench.path("list-\(key)"))
    }
    var names: [String: String] = [:]
    for (key, command) in zip(keys, commands) {
      let name = String(decoding: try command.output.readToEnd() ?? Data(), as: UTF8.self)
      names[key] = name.trimmingCharacters(in: .newlines)
    }
    try bench.await { $0.keys.registered == 24 && $0.lists.active + $0.lists.incoming == 0 }
    #expect(Set(names.values).count == 24)
    for key in keys {
      let lists = try bench.client.key(try #require(AppKeyID(key))).lists
      #expect(lists == [names[key]], "\(lists) \(names[key] ?? "")")
    }
    bench.stop(daemon)
  }

  /// A client without the daemon's configuration.
  @Test(arguments: [[], ["--dry-run"]]) func a_list_larger_than_the_daemon_takes_is_refused(flags: [String]) throws {
    let bench = try Bench()
    try (String(contentsOfFile: bench.path("keyreg.yaml"), encoding: .utf8) + "  max_file_size: 4KiB\n")
      .write(toFile: bench.path("keyreg.yaml"), atomically: true, encoding: .utf8)
    let daemon = try bench.start()
    bench.environment["KEYREG_SPOOL"] = .some(nil)
    try lines(randomKeys(200)).write(toFile: bench.path("list"), atomically: true, encoding: .utf8)
    let submitted = try bench.run(["submit", bench.path("list")] + flags)
    #expect(submitted.code == 65 && submitted.output.isEmpty, "\(submitted)")
    try lines(randomKeys(20)).write(toFile: bench.path("list"), atomically: true, encoding: .utf8)
    #expect(try bench.run(["submit", bench.path("list")] + flags).code == 0)
    bench.stop(daemon)
    #expect(try bench.names(in: "rejected").isEmpty)
  }

  @Test func a_name_that_only_the_daemon_knows_is_not_printed() throws {
    let bench = try Bench()
    let daemon = try bench.start()
    try bench.drop(lines(randomKeys(1)), as: "a")
    #expect(try bench.run("status", "a", "--wait").code == 0)
    try bench.await { $0.lists.active + $0.lists.finishing == 0 }
    for file in try bench.names(in: "done").map({ "done/\($0)" }) + ["results/a.csv"] { unlink(bench.spool(file)) }
    try lines(randomKeys(1)).write(toFile: bench.path("list"), atomically: true, encoding: .utf8)
    #expect(try bench.run("submit", "--name", "a", bench.path("list")).output == "a.2\n")
    bench.stop(daemon)
  }
}
