import Foundation
import Glibc
import Testing

/// What commands say when things are not as usual.
@Suite struct AnswerTests {
  /// A daemon with a list that stays in `incoming/`: it was written in place, and is not still for long enough.
  private func withWaitingList(_ body: (Bench) throws -> Void) throws {
    let bench = try Bench()
    try "spool:\n  settle: 1h\n".write(toFile: bench.path("keyreg.yaml"), atomically: true, encoding: .utf8)
    try lines(randomKeys(1)).write(toFile: bench.spool("incoming/w"), atomically: false, encoding: .utf8)
    let daemon = try bench.start()
    try bench.await { $0.lists.incoming == 1 }
    try body(bench)
    bench.stop(daemon)
  }

  @Test func aListThatWaitsHasADocument() throws {
    try withWaitingList { bench in
      let waiting = try bench.run("status", "w", "--json")
      let document = try JSONSerialization.jsonObject(with: Data(waiting.output.utf8)) as? [String: Any]
      #expect(waiting.code == 0 && document?["name"] as? String == "w" && document?["state"] as? String == "incoming")
      #expect(try bench.run("status", "w").output == "w: waiting to be read\n")
      #expect(try bench.run("lists").errors.contains("1 file in incoming/ will be read"))
    }
  }

  @Test func waitingEndsWithTheDocument() throws {
    let bench = try Bench()
    let daemon = try bench.start()
    try bench.drop(lines(randomKeys(2)), as: "a")
    let list = try bench.run("status", "a", "--wait", "--json")
    #expect(list.code == 0 && list.output.contains("\"state\":\"done\"") && list.output.hasSuffix("}\n"))
    let all = try bench.run("status", "--wait", "--json")
    #expect(all.code == 0 && all.output.contains("\"registered\":2"))
    bench.stop(daemon)
  }

  @Test func aBackupTakesThePlaceOfRegularFilesOnly() throws {
    let bench = try Bench()
    let daemon = try bench.start()
    try #require(mkfifo(bench.path("fifo"), 0o600) == 0 && mkdir(bench.path("folder"), 0o700) == 0)
    try "old".write(toFile: bench.path("target"), atomically: false, encoding: .utf8)
    try #require(symlink(bench.path("target"), bench.path("link")) == 0)
    for (name, kind) in [("fifo", S_IFIFO), ("folder", S_IFDIR), ("link", S_IFLNK)] {
      let refused = try bench.run("backup", bench.path(name))
      #expect(refused.code == 64 && refused.errors.contains("hint: "), "\(refused.errors)")
      var status = stat()
      #expect(lstat(bench.path(name), &status) == 0)
      #expect(status.st_mode & S_IFMT == kind)
    }
    #expect(try bench.run("backup", "/dev/null").code == 64)
    #expect(try String(contentsOfFile: bench.path("target"), encoding: .utf8) == "old")
    #expect(try bench.run("backup", bench.path("target")).code == 0)
    bench.stop(daemon)
  }

  @Test func whatAnotherServerAnswersIsNoBackup() throws {
    let bench = try Bench()
    let reply = "HTTP/1.1 200 OK\r\nContent-Length: 6\r\nConnection: close\r\n\r\nhello\n"
    let server = try OtherServer(socket: bench.socket, reply: reply)
    defer { server.stop() }
    let backup = try bench.run("backup", bench.path("copy"))
    #expect(backup.code == 70 && backup.errors.contains("the daemon's answer cannot be read: it is not a queue"))
    #expect(!FileManager.default.fileExists(atPath: bench.path("copy")))
    let piped = try bench.run("backup", "-")
    #expect(piped.code == 70 && piped.output.isEmpty)
    let status = try bench.run("status")
    #expect(status.code == 70 && status.errors.contains("the daemon's answer cannot be read: it is not JSON"))
  }

  @Test func waitingGoesOnOverARestartOfTheDaemon() throws {
    let bench = try Bench()
    let first = try bench.start()
    try bench.run("pause")
    try bench.drop(lines(randomKeys(3)), as: "a")
    try bench.await { $0.keys.pending == 3 }
    let open = try bench.run("status", "a", "--json").output
    bench.stop(first)
    // In its place, something that shows the command an open list before it goes away.
    let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: \(open.utf8.count)\r\n"
    let server = try OtherServer(socket: bench.socket, reply: head + "Connection: close\r\n\r\n" + open)
    let wait = try bench.follow("status", "a", "--wait", "--json")
    server.answered.wait()
    server.stop()
    let second = try bench.start()
    try bench.run("resume")
    try wait.read(until: "\"registered\":3")
    wait.process.waitUntilExit()
    #expect(wait.process.terminationStatus == 0)
    bench.stop(second)
    #expect(try bench.run("status", "a", "--wait").code == 3)
  }

  @Test(arguments: [
    ("page=403", 69, "answered 403: 403 Forbidden gateway.example (not the API's words)"),
    ("403", 77, "answered 403: Forbidden"), ("401", 77, "answered 401: Unauthorized"),
    ("302", 69, "answered 302, a redirect to /redirected"), ("500", 69, "answered 500: Internal Server Error"),
  ]) func theOnlineCheckTellsTheAPIFromWhatIsInTheWay(fault: String, code: Int, words: String) throws {
    let bench = try Bench(faults: fault)
    let check = try bench.run("check", "--online")
    #expect(check.code == Int32(code) && check.errors.contains(words), "\(check.errors)")
  }

  @Test func theSandboxSaysWhatIsWrongInPlainWords() throws {
    let bench = try Bench()
    let grammar = try bench.run("sandbox", "--faults", "500:1%@x")
    #expect(grammar.code == 64 && grammar.errors.contains("fault “500:1%@x”"), "\(grammar.errors)")
    #expect(grammar.errors.contains("EFFECT:SCOPE") && !grammar.errors.contains("redacted"))
    let busy = try bench.run("sandbox", "--listen", "127.0.0.1:\(bench.port)")
    #expect(busy.code == 74, "\(busy.errors)")
    #expect(busy.errors == "keyreg: error: cannot listen on 127.0.0.1:\(bench.port): Address already in use\n")
    let journal = try bench.run("sandbox", "--journal", bench.path("none/journal"))
    #expect(journal.code == 74 && journal.errors.hasPrefix("keyreg: error: cannot open the journal "))
    #expect(!journal.errors.contains("listen"))
  }
}

/// Something else that listens on a Unix socket, and answers every request with the same bytes.
private final class OtherServer: Sendable {
  private let listener: Int32
  private let done = DispatchSemaphore(value: 0)
  /// Signalled after each answer.
  let answered = DispatchSemaphore(value: 0)

  init(socket path: String, reply: String) throws {
    let listener = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
    self.listener = listener
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
    let isBound = withUnsafePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(listener, $0, socklen_t(MemoryLayout<sockaddr_un>.size)) == 0
      }
    }
    try #require(isBound && listen(listener, 16) == 0)
    let (done, answered) = (done, answered)
    Thread.detachNewThread { @Sendable in
      while true {
        let connection = accept(listener, nil, nil)
        guard connection >= 0 else { break }
        var request = [UInt8](repeating: 0, count: 4_096)
        _ = read(connection, &request, request.count)
        _ = write(connection, reply, reply.utf8.count)
        close(connection)
        answered.signal()
      }
      done.signal()
    }
  }

  func stop() {
    shutdown(listener, Int32(SHUT_RDWR))
    done.wait()
    close(listener)
  }
}
