import Foundation
import Registration
import Testing

/// How lists are worked: priority, and when they are stopped.
struct TermsTests {
  private func write(_ bench: Bench, _ name: String, _ ids: [String]) throws -> String {
    try (ids.joined(separator: "\n") + "\n").write(toFile: bench.path(name), atomically: true, encoding: .utf8)
    return bench.path(name)
  }

  @Test func a_list_of_higher_priority_goes_first_and_the_other_gets_a_tenth() throws {
    let bench = try Bench()
    let (low, high) = (randomKeys(100), randomKeys(100))
    #expect(try bench.run("submit", write(bench, "a", low)).code == 0)
    #expect(try bench.run("submit", "--priority", "8", write(bench, "b", high)).code == 0)
    try bench.configure("workers: 1\n")
    let daemon = try bench.start()
    #expect(try bench.run("status", "--wait").code == 0)
    bench.stop(daemon)
    let receipt = try String(contentsOfFile: bench.spool("done/b.receipt.json"), encoding: .utf8)
    #expect(receipt.contains("\"priority\":8,"))
    #expect(try String(contentsOfFile: bench.spool("done/a.receipt.json"), encoding: .utf8).contains("\"priority\":5,"))
    #expect(try FileManager.default.contentsOfDirectory(atPath: bench.spool("incoming")) == [])
  }

  @Test func a_list_is_stopped_once_too_many_of_its_keys_have_failed() throws {
    let bench = try Bench(faults: "400:30%", latency: .milliseconds(5))
    #expect(try bench.run("submit", "--stop-after", "5%", write(bench, "bad", randomKeys(5_000))).code == 0)
    let daemon = try bench.start()
    let waited = try bench.run("status", "--wait")
    #expect(waited.code == 0 || waited.code == 1, "\(waited)")
    // One word for it everywhere, and why.
    let why = "more than 5 % of the list's finished keys had failed"
    #expect(try bench.run("lists").output.contains("  cancelled  "))
    let list = try bench.run("status", "bad")
    #expect(list.output.contains("\ncancelled   ") && list.output.contains(why), "\(list.output)")
    #expect(bench.log.contains("list cancelled") && bench.log.contains(why), "\(bench.log)")
    let results = try String(contentsOfFile: bench.spool("results/bad.csv"), encoding: .utf8)
    let rows = results.split(separator: "\n").dropFirst()
    #expect(rows.count == 5_000)
    let stopped = rows.count { $0.contains("more than 5 % of the list's finished keys had failed") }
    #expect(stopped > 1_000 && stopped <= 4_950 && rows.contains { $0.contains(",failed,") }, "\(stopped)")
    let receipt = try String(contentsOfFile: bench.spool("done/bad.receipt.json"), encoding: .utf8)
    #expect(receipt.contains("\"stopped_at\":") && receipt.contains("\"stop_after\":0.05"))
    bench.stop(daemon)
  }

  @Test func set_changes_a_list_while_the_daemon_runs() throws {
    let bench = try Bench()
    let daemon = try bench.start()
    #expect(try bench.run("pause").code == 0)
    #expect(try bench.run("submit", write(bench, "a", randomKeys(10))).code == 0)
    while try bench.run("lists").output.isEmpty { sched_yield() }
    let set = try bench.run("set", "a", "--priority", "9", "--stop-after", "2.5%")
    #expect(set.output == "a: priority 9, stopped after 2.5 % failures\n", "\(set)")
    let json = try bench.run("lists", "--json").output
    #expect(json.contains("\"priority\":9") && json.contains("\"stop_after\":0.025"), "\(json)")
    #expect(try bench.run("set", "a", "--stop-after", "never").output == "a: priority 9, never stopped\n")
    #expect(try bench.run("set", "none", "--priority", "1").code == 66)
    for wrong in [["--priority", "10"], ["--stop-after", "5"], ["--stop-after", "101%"], []] {
      #expect(try bench.run(["set", "a"] + wrong).code == 64)
    }
    bench.stop(daemon)
  }
}
