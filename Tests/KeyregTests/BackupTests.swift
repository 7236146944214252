import Foundation
import RegistrationQueue
import Testing

/// A copy that is made while the daemon works, and restored while it does not.
@Suite struct BackupTests {
  @Test func aBackupOfWorkInFullSwingIsAQueueFromWhichEverythingGoesOn() throws {
    let bench = try Bench(latency: .milliseconds(3))
    let keys = randomKeys(2_000)
    try bench.drop(lines(keys), as: "a")
    let daemon = try bench.start()
    try bench.await { $0.keys.registered > 200 }
    #expect(try bench.run("backup", bench.path("copy")).code == 0)
    let piped = try bench.run("backup", "-")
    #expect(piped.code == 0 && piped.output.hasPrefix("SQLite format 3"))
    // A backup must not be restored under a running daemon.
    #expect(try bench.run("restore", bench.path("copy"), "--config", bench.path("keyreg.yaml")).code == 75)
    bench.murder(daemon)
    let restored = try bench.run("restore", bench.path("copy"), "--config", bench.path("keyreg.yaml"))
    #expect(restored.code == 0 && restored.errors.contains("restored 2000 keys of 1 list to "), "\(restored.errors)")
    #expect(try bench.names(in: "../state").contains { $0.hasPrefix("queue.sqlite.aside-") })
    #expect(try bench.runUntilDone() == 0)
    #expect(Set(bench.sandbox.registeredKeys.map(\.description)) == Set(keys))
    #expect(try bench.names(in: "../").filter { $0.hasSuffix(".tmp") }.isEmpty)
  }

  @Test func listsThatCameAfterTheBackupAreReadAgain() throws {
    let bench = try Bench()
    try bench.drop(lines(randomKeys(20)), as: "a")
    let daemon = try bench.start()
    try bench.await { $0.keys.registered == 20 }
    #expect(try bench.run("backup", bench.path("copy")).code == 0)
    try bench.drop(lines(randomKeys(30)), as: "b")
    try bench.await { $0.keys.registered == 50 && $0.lists.active == 0 }
    bench.stop(daemon)
    #expect(try bench.run("restore", bench.path("copy"), "--config", bench.path("keyreg.yaml")).code == 0)
    #expect(try bench.runUntilDone() == 0, "\(bench.log)")
    #expect(try bench.results("b").count == 30)
    #expect(try bench.receipt("b")["id"] as? Int == 2)
    #expect(try bench.runUntilDone() == 0)
  }

  @Test func whatIsNoWholeBackupIsRefusedAndChangesNothing() throws {
    let bench = try Bench()
    try bench.drop(lines(randomKeys(500)), as: "a")
    let daemon = try bench.start()
    try bench.await { $0.keys.registered == 500 }
    #expect(try bench.run("backup", bench.path("copy")).code == 0)
    #expect(try bench.run("backup", bench.path("state/queue.sqlite")).code == 64)
    bench.stop(daemon)
    let whole = try Data(contentsOf: URL(filePath: bench.path("copy")))
    let queue = try Data(contentsOf: URL(filePath: bench.path("state/queue.sqlite")))
    var flipped = whole
    // The kind of each page: a flipped bit in a text still gives a text, but not a kind of page.
    for page in stride(from: 4_096, to: whole.count, by: 4_096) { flipped[page] ^= 0xff }
    for (name, bytes) in [
      ("cut", whole.dropLast(4_096)), ("text", Data("x".utf8)), ("empty", Data()), ("flipped", flipped),
    ] {
      try bytes.write(to: URL(filePath: bench.path(name)))
      let refused = try bench.run("restore", bench.path(name), "--config", bench.path("keyreg.yaml"))
      #expect(refused.code == 78, "\(name): \(refused.errors)")
    }
    #expect(try bench.run("restore", bench.path("none"), "--config", bench.path("keyreg.yaml")).code == 66)
    #expect(try Data(contentsOf: URL(filePath: bench.path("state/queue.sqlite"))) == queue)
    #expect(try bench.names(in: "../state").allSatisfy { !$0.contains("aside") && !$0.contains("restore") })
    #expect(try bench.runUntilDone() == 0)
  }

  /// On a new machine root restores, into a folder of the daemon's user, what that user then works with.
  @Test(.enabled(if: geteuid() == 0)) func whatRootRestoresBelongsToTheDaemonsUser() throws {
    let bench = try Bench()
    let daemon = try bench.start()
    #expect(try bench.run("backup", bench.path("copy")).code == 0)
    bench.stop(daemon)
    let state = bench.path("another")
    try #require(mkdir(state, 0o700) == 0 && chown(state, 4711, 4712) == 0)
    bench.environment["KEYREG_STATE"] = state
    #expect(try bench.run("restore", bench.path("copy")).code == 0)
    for name in ["queue.sqlite", "lock"] {
      var status = stat()
      try #require(stat("\(state)/\(name)", &status) == 0)
      #expect(status.st_uid == 4711 && status.st_gid == 4712, "\(name)")
    }
  }
}
