import Foundation
import Glibc
import Testing

/// Several organisations on one machine: no instance works on another's files.
@Suite struct InstanceTests {
  @Test func aSpoolAndAStateBelongToTheInstanceThatUsedThemFirst() throws {
    let bench = try Bench()
    bench.environment["KEYREG_INSTANCE"] = "acme"
    bench.stop(try bench.start())
    bench.environment["KEYREG_INSTANCE"] = .some(nil)
    let main = try bench.run("run", "--config", bench.path("keyreg.yaml"))
    #expect(main.code == 78 && main.errors.contains("belongs to the instance acme"), "\(main.errors)")
    bench.environment["KEYREG_STATE"] = bench.path("other")
    let other = try bench.run("run", "--config", bench.path("keyreg.yaml"), "--instance", "other")
    #expect(other.code == 78 && other.errors.contains("\(bench.path("spool")) belongs to the instance acme"))
    #expect(other.errors.contains("hint: "))
    try lines(randomKeys(1)).write(toFile: bench.path("list"), atomically: true, encoding: .utf8)
    #expect(try bench.run("submit", bench.path("list")).code == 78)
    #expect(try bench.run("submit", "--instance", "acme", bench.path("list")).code == 0)
    // If the instance is refused, not even the folders of a state directory are created.
    #expect(!FileManager.default.fileExists(atPath: bench.path("other")))
  }

  @Test func aSpoolThatAnotherDaemonServesIsRefused() throws {
    let bench = try Bench()
    let first = try bench.start()
    bench.environment["KEYREG_STATE"] = bench.path("state2")
    bench.environment["KEYREG_SOCKET"] = bench.path("c2.sock")
    let second = try bench.run("run", "--config", bench.path("keyreg.yaml"))
    #expect(second.code == 75 && second.errors.contains("pid \(first.processIdentifier)"), "\(second.errors)")
    bench.murder(first)
    let next = try bench.launch(["run", "--config", bench.path("keyreg.yaml"), "--until-done"])
    next.waitUntilExit()
    #expect(next.terminationStatus == 0)
  }

  @Test func pathsAndNamesOfOtherInstancesAreConfigurationErrors() throws {
    let bench = try Bench()
    #expect(try bench.run("check", "--instance", "keyreg").code == 78)
    for command in ["check", "run"] {
      bench.environment["KEYREG_SPOOL"] = "/var/spool/keyreg"
      let refused = try bench.run(command, "--config", bench.path("keyreg.yaml"), "--instance", "acme")
      #expect(refused.code == 78 && refused.errors.contains("/var/spool/keyreg belongs to the main instance"))
    }
    try lines(randomKeys(1)).write(toFile: bench.path("list"), atomically: true, encoding: .utf8)
    #expect(try bench.run("submit", "--instance", "acme", bench.path("list")).code == 78)
  }

  @Test func submittingNeverMakesASpool() throws {
    let bench = try Bench()
    try lines(randomKeys(1)).write(toFile: bench.path("list"), atomically: true, encoding: .utf8)
    bench.environment["KEYREG_SPOOL"] = bench.path("mistyped")
    let refused = try bench.run("submit", bench.path("list"))
    #expect(refused.code == 66 && refused.errors.contains("there is no spool at \(bench.path("mistyped"))"))
    #expect(refused.errors.contains("hint: "))
    #expect(!FileManager.default.fileExists(atPath: bench.path("mistyped")))
  }

  @Test func whoeverChangesSomethingIsToldWhichDaemonItIs() throws {
    let bench = try Bench()
    bench.environment["KEYREG_INSTANCE"] = "acme"
    let daemon = try bench.start()
    let status = try bench.client.status()
    #expect(status.instance == "acme" && status.endpoint == "http://127.0.0.1:\(bench.port)")
    for command in ["pause", "resume", "retry", "reload"] {
      let done = try bench.run(command)
      #expect(done.code == 0 && done.errors.contains("instance acme, http://127.0.0.1:\(bench.port)"))
    }
    let wrong = try bench.run("pause", "--instance", "other")
    #expect(wrong.code == 78 && wrong.errors.contains("is the socket of the instance acme, not of the instance other"))
    #expect(try bench.client.status().state != .paused)
    // Naming only the socket is allowed.
    bench.environment["KEYREG_INSTANCE"] = .some(nil)
    #expect(try bench.run("pause").errors.contains("instance acme"))
    bench.stop(daemon)
  }

  @Test func whoeverReadsIsNotAnsweredForAnotherInstance() throws {
    let bench = try Bench()
    let daemon = try bench.start()
    bench.environment["KEYREG_INSTANCE"] = "acme"
    let key = randomKeys(1)[0]
    for command in [
      ["status", "--wait"], ["lists"], ["outcomes", "-f"], ["key", "\(key)"], ["backup", bench.path("copy")],
    ] {
      let refused = try bench.run(command)
      #expect(refused.code == 78 && refused.output.isEmpty, "\(command): \(refused)")
      #expect(refused.errors.contains("is the socket of the main instance, not of the instance acme"))
    }
    #expect(!FileManager.default.fileExists(atPath: bench.path("copy")))
    // The daemon's credentials are those of another organisation.
    for variable in ["DD_API_KEY", "DD_APP_KEY"] { bench.environment[variable] = .some(nil) }
    for variable in ["KEYREG_STATE", "KEYREG_SPOOL"] { bench.environment[variable] = bench.path("acme") }
    let check = try bench.run("check", "--online", "--config", bench.path("keyreg.yaml"))
    #expect(check.code == 78 && check.errors.contains("not of the instance acme"), "\(check)")
    bench.environment["KEYREG_INSTANCE"] = .some(nil)
    #expect(try bench.run("status").code == 0)
    bench.stop(daemon)
  }

  @Test func aBackupOfAnotherInstanceIsRefused() throws {
    let bench = try Bench()
    bench.environment["KEYREG_INSTANCE"] = "acme"
    try bench.drop(lines(randomKeys(3)), as: "a")
    #expect(try bench.runUntilDone() == 0)
    let daemon = try bench.start()
    #expect(try bench.run("backup", bench.path("copy")).code == 0)
    bench.stop(daemon)
    bench.environment["KEYREG_INSTANCE"] = "beta"
    bench.environment["KEYREG_STATE"] = bench.path("state2")
    bench.environment["KEYREG_SPOOL"] = bench.path("spool2")
    let config = ["--config", bench.path("keyreg.yaml")]
    let refused = try bench.run(["restore", bench.path("copy")] + config)
    #expect(refused.code == 78 && refused.errors.contains("a backup of the instance acme, not of the instance beta"))
    #expect(refused.errors.contains("hint: ") && refused.errors.contains("--from-instance acme"))
    // The queue itself lies in acme's folder, through a link too.
    try FileManager.default.createSymbolicLink(
      atPath: bench.path("link"), withDestinationPath: bench.path("state/queue.sqlite"))
    for file in ["state/queue.sqlite", "link"] {
      let foreign = try bench.run(["restore", bench.path(file)] + config)
      #expect(foreign.code == 78 && foreign.errors.contains("belongs to the instance acme"), "\(foreign.errors)")
    }
    #expect(!FileManager.default.fileExists(atPath: bench.path("state2/queue.sqlite")))
    // A renamed instance: meant.
    let meant = try bench.run(["restore", "--from-instance", "acme", bench.path("copy")] + config)
    #expect(meant.code == 0 && meant.errors.contains("restored 3 keys"), "\(meant.errors)")
    #expect(try bench.run(["restore", "--from-instance", "-acme", bench.path("copy")] + config).code == 64)
    try FileManager.default.createDirectory(atPath: bench.path("spool2"), withIntermediateDirectories: true)
    bench.stop(try bench.start())
  }

  @Test func aBackupOfWorkWithAnotherEndpointIsTakenWithAWarning() throws {
    let bench = try Bench()
    try bench.drop(lines(randomKeys(3)), as: "a")
    let daemon = try bench.start()
    try bench.await { $0.keys.registered == 3 }
    #expect(try bench.run("backup", bench.path("copy")).code == 0)
    bench.stop(daemon)
    let here = "http://127.0.0.1:\(bench.port)"
    bench.environment["KEYREG_API_URL"] = "http://127.0.0.1:1"
    let restored = try bench.run("restore", "--config", bench.path("keyreg.yaml"), bench.path("copy"))
    #expect(restored.code == 0 && restored.errors.contains("were registered with \(here)"), "\(restored.errors)")
    bench.stop(try bench.start())
    #expect(bench.log.contains("the endpoint has changed"))
  }

  @Test func aQueueOfAnotherInstanceIsNotWorkedOn() throws {
    let bench = try Bench()
    bench.environment["KEYREG_INSTANCE"] = "acme"
    bench.stop(try bench.start())
    for stamp in ["state/.keyreg-instance", "spool/.keyreg-instance"] { #expect(unlink(bench.path(stamp)) == 0) }
    bench.environment["KEYREG_INSTANCE"] = "beta"
    let refused = try bench.run("run", "--config", bench.path("keyreg.yaml"))
    #expect(refused.code == 78, "\(refused.errors)")
    #expect(refused.errors.contains("belongs to the instance acme, not to the instance beta"))
    // What the hint says.
    let queue = bench.path("state/queue.sqlite")
    #expect(refused.errors.contains("keyreg restore --instance beta --from-instance acme \(queue)"))
    #expect(
      try bench.run("restore", "--from-instance", "acme", "--config", bench.path("keyreg.yaml"), queue).code == 0)
    bench.stop(try bench.start())
  }
}
