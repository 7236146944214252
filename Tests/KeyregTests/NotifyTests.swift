import Foundation
import Testing

/// Told, not watched.
struct NotifyTests {
  @Test func aCommandIsToldOfListsAndGetsNoCredentials() throws {
    let bench = try Bench()
    let told = bench.path("told")
    try "#!/bin/sh\n{ cat; env; } >> \(told)\n".write(toFile: bench.path("tell"), atomically: true, encoding: .utf8)
    try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: bench.path("tell"))
    try bench.configure("notify:\n  command: \(bench.path("tell"))\n")
    try bench.drop(lines(randomKeys(3)), as: "a")
    #expect(try bench.runUntilDone() == 0)
    let text = try String(contentsOfFile: told, encoding: .utf8)
    #expect(
      text.contains("\"event\":\"list_done\"") && text.contains("\"list\":\"a\"") && text.contains("3 registered"))
    #expect(!text.contains("test-api-key") && text.contains("KEYREG_SOCKET="))
  }

  @Test func aCommandThatFailsIsNoReasonToStop() throws {
    let bench = try Bench()
    try bench.configure("notify:\n  command: /nowhere/tell\n  url: http://127.0.0.1:1/secret-path\n")
    try bench.drop(lines(randomKeys(3)), as: "a")
    #expect(try bench.runUntilDone() == 0)
    #expect(bench.log.contains("a notification could not be delivered") && !bench.log.contains("secret-path"))
    #expect(try bench.run("check", "--config", bench.path("keyreg.yaml")).output.contains("secret-path") == false)
    try bench.configure("notify:\n  url: http://example.com/\n")
    #expect(try bench.run("check", "--config", bench.path("keyreg.yaml")).code == 78)
  }

  @Test func whatWasNotDeliveredBeforeAKillIsDeliveredAfterIt() throws {
    let bench = try Bench()
    let told = bench.path("told")
    // Fails until it may write.
    try """
    #!/bin/sh
    touch \(bench.path("tried"))
    test -e \(bench.path("open")) && cat >> \(told)

    """.write(toFile: bench.path("tell"), atomically: true, encoding: .utf8)
    try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: bench.path("tell"))
    try bench.configure("notify:\n  command: \(bench.path("tell"))\n")
    let daemon = try bench.start()
    try bench.drop("no key\n", as: "bad")
    try bench.drop(lines(randomKeys(3)), as: "good")
    try bench.await { _ in
      FileManager.default.fileExists(atPath: bench.path("tried"))
        && FileManager.default.fileExists(atPath: bench.spool("results/good.csv"))
    }
    try bench.await { $0.lists.active == 0 }
    bench.murder(daemon)
    #expect(!FileManager.default.fileExists(atPath: told))
    _ = FileManager.default.createFile(atPath: bench.path("open"), contents: nil)
    for _ in 0..<2 {
      #expect(try bench.runUntilDone() == 0)
      let lines = try String(contentsOfFile: told, encoding: .utf8).split(separator: "\n")
      try #require(lines.count == 2)
      #expect(lines[0].contains("list_rejected") && lines[1].contains("list_done"))
    }
  }
}
