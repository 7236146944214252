import Foundation
import Glibc
import Testing

/// What happens to a daemon whose spool is taken apart. For a spool that hangs, see `Tests/System/stuck_check.py`.
@Suite struct SpoolTroubleTests {
  private func mode(_ path: String) throws -> mode_t {
    var status = stat()
    try #require(stat(path, &status) == 0)
    return status.st_mode & 0o7777
  }

  @Test func foldersThatAreRemovedAreMadeAgainAsTheyWere() throws {
    let bench = try Bench()
    // As tmpfiles.d creates it.
    try #require(chmod(bench.spool("incoming"), 0o2770) == 0)
    let daemon = try bench.start()
    let places = ["incoming", "reading", "done", "rejected", "results"]
    let modes = try places.map { try mode(bench.spool($0)) }
    for place in places { try FileManager.default.removeItem(atPath: bench.spool(place)) }
    try bench.await { $0.state == .idle && places.allSatisfy(bench.exists) }
    #expect(try places.map { try mode(bench.spool($0)) } == modes)
    #expect(bench.log.contains("was created again"))
    try bench.drop(lines(randomKeys(3)), as: "a")
    try bench.await { $0.keys.registered == 3 && $0.lists.active == 0 && $0.state == .idle }
    #expect(try bench.results("a").count == 3)
    bench.stop(daemon)
  }

  /// An unmounted file system leaves an empty folder behind: lists dropped there would disappear once it is mounted
  /// again.
  @Test func anotherSpoolInTheSamePlaceIsNotWorkedOn() throws {
    let bench = try Bench()
    let daemon = try bench.start()
    let away = bench.path("away")
    try #require(rename(bench.path("spool"), away) == 0)
    try #require(mkdir(bench.path("spool"), 0o750) == 0)
    let status = try bench.await { $0.hold == .disk && $0.state == .holding }
    #expect(status.reason?.contains("that \(bench.path("spool")) is still the same folder") == true)
    #expect(try FileManager.default.contentsOfDirectory(atPath: bench.path("spool")).isEmpty)
    try #require(rmdir(bench.path("spool")) == 0 && rename(away, bench.path("spool")) == 0)
    try bench.await { $0.state == .idle }
    bench.stop(daemon)
  }

  /// A spool beside the one that is in use, with the folders that the package creates.
  private func makeSpool(_ path: String) throws {
    for place in ["incoming", "done", "rejected", "results"] {
      try FileManager.default.createDirectory(atPath: "\(path)/\(place)", withIntermediateDirectories: true)
    }
  }

  private func locked(_ folder: String) -> FileHandle? {
    let descriptor = open(folder, O_RDONLY | O_DIRECTORY)
    let handle = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
    return flock(descriptor, LOCK_EX | LOCK_NB) == 0 ? handle : nil
  }

  @Test func aSpoolThatReplacesItsOwnIsLockedAndServed() throws {
    let bench = try Bench()
    let daemon = try bench.start()
    try makeSpool(bench.path("new"))
    try #require(rename(bench.path("spool"), bench.path("away")) == 0)
    try #require(rename(bench.path("new"), bench.path("spool")) == 0)
    try bench.await { _ in bench.exists(".keyreg-lock") }
    #expect(locked(bench.spool("reading")) == nil)
    try bench.drop(lines(randomKeys(3)), as: "a")
    try bench.await { $0.keys.registered == 3 && $0.lists.active == 0 }
    #expect(try bench.results("a").count == 3)
    // Somebody who takes the file for a leftover does not make it another spool.
    try FileManager.default.removeItem(atPath: bench.spool(".keyreg-lock"))
    try bench.drop(lines(randomKeys(3)), as: "b")
    try bench.await { $0.keys.registered == 6 && $0.lists.active == 0 }
    #expect(bench.log.ranges(of: "replaced by another").count == 1, "\(bench.log)")
    bench.stop(daemon)
  }

  @Test(arguments: [false, true]) func aDaemonEndsWhenItsSpoolIsReplacedByAnothers(isStamped: Bool) throws {
    let bench = try Bench()
    let daemon = try bench.start()
    try makeSpool(bench.path("new"))
    try FileManager.default.createDirectory(atPath: bench.path("new/reading"), withIntermediateDirectories: false)
    var other: FileHandle?
    if isStamped {
      try "acme\n".write(toFile: bench.path("new/.keyreg-instance"), atomically: false, encoding: .utf8)
    } else {
      other = locked(bench.path("new/reading"))
      #expect(other != nil)
    }
    try #require(rename(bench.path("spool"), bench.path("away")) == 0)
    try #require(rename(bench.path("new"), bench.path("spool")) == 0)
    // Whoever asks has it look at the spool.
    while daemon.isRunning { _ = try? bench.client.status() }
    #expect(daemon.terminationReason == .exit && daemon.terminationStatus == (isStamped ? 78 : 75), "\(bench.log)")
    let reason =
      isStamped ? "spool belongs to the instance acme" : "another daemon serves the spool \(bench.path("spool"))"
    #expect(bench.log.contains(reason), "\(bench.log)")
    withExtendedLifetime(other) {}
  }

  @Test func knownKeysAreWorkedOnThoughTheSpoolCannotBeUsedAndThatIsNoHold() throws {
    let bench = try Bench(latency: .milliseconds(50))
    let daemon = try bench.start()
    #expect(try bench.run("pause", "--reason", "lunch").code == 0)
    try bench.drop(lines(randomKeys(200)), as: "a")
    try bench.await { $0.keys.pending == 200 && $0.lists.incoming == 0 }
    try FileManager.default.removeItem(atPath: bench.spool("results"))
    try "".write(toFile: bench.spool("results"), atomically: false, encoding: .utf8)
    let paused = try bench.await { $0.reason?.contains("/results") == true }
    #expect(paused.state == .paused && paused.hold == nil && paused.reason?.hasPrefix("lunch; ") == true)
    #expect(try bench.run("resume").code == 0)
    let working = try bench.await { $0.keys.registered > 0 && $0.reason?.contains("/results") == true }
    #expect(working.state == .working && working.hold == nil)
    // Nothing is left to send: only now does the daemon wait for the spool alone.
    let held = try bench.await { $0.hold == .disk }
    #expect(held.keys.registered == 200 && held.state == .holding)
    try FileManager.default.removeItem(atPath: bench.spool("results"))
    try bench.await { $0.state == .idle }
    #expect(try bench.results("a").count == 200)
    bench.stop(daemon)
  }

  /// Only an operator can change that: the run ends, and says where.
  @Test(
    .enabled(if: geteuid() == 0, "only root can take a folder away"),
    arguments: ["incoming", "reading", "done", "rejected", "results"])
  func aFolderThatTheDaemonMayNotWriteDoesNotDelayTheEnd(place: String) throws {
    let bench = try Bench()
    try bench.runAsNobody()
    #expect(try bench.runUntilDone() == 0)
    try bench.drop(lines(randomKeys(2)), as: "a")
    try #require(chown(bench.spool(place), 0, 0) == 0 && chmod(bench.spool(place), 0o755) == 0)
    #expect(try bench.runUntilDone() == 77)
    #expect(
      bench.log.contains("keyreg: error: cannot use \(bench.spool(place)): Permission denied\nhint: the daemon's user"),
      "\(bench.log)")
  }

  @Test(.enabled(if: geteuid() == 0, "only root can take a folder away"))
  func theLogSaysOnceThatAFolderMayNotBeWrittenAndOnceThatItMayAgain() throws {
    let bench = try Bench(limit: "2/1s")
    try bench.runAsNobody()
    let daemon = try bench.start()
    try bench.drop(lines(randomKeys(200)), as: "a")
    try bench.await { $0.keys.registered > 0 }
    let folder = bench.spool("done")
    var before = stat()
    try #require(stat(folder, &before) == 0 && chown(folder, 0, 0) == 0)
    try bench.await { $0.reason?.contains(folder) == true && bench.log.contains("no lists are taken") }
    try #require(chown(folder, before.st_uid, before.st_gid) == 0)
    try bench.await { _ in bench.log.contains("can be used again") }
    #expect(bench.log.ranges(of: "no lists are taken").count == 1, "\(bench.log)")
    bench.stop(daemon)
  }

  @Test func whatAKillLeftHalfWrittenIsRemovedAtTheStart() throws {
    let bench = try Bench()
    #expect(try bench.runUntilDone() == 0)
    let name = ".keyreg-4711-abc.tmp"
    let places = ["incoming", "reading", "done", "rejected", "results"]
    for place in places {
      try "half".write(toFile: bench.spool("\(place)/\(name)"), atomically: false, encoding: .utf8)
    }
    let daemon = try bench.start()
    // Others write there: one of them may be about to name it.
    #expect(places.filter { bench.exists("\($0)/\(name)") } == ["incoming"])
    bench.stop(daemon)
  }
}
