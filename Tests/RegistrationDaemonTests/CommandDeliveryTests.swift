import Dispatch
import Foundation
import Glibc
import Testing

@testable import RegistrationDaemon

/// However a notification's command behaves, the daemon is soon rid of it.
struct CommandDeliveryTests {
  private let folder = FileManager.default.temporaryDirectory
    .appending(path: "command-\(UInt32.random(in: 0 ... .max))")

  private func path(_ name: String) -> String { folder.appending(path: name).path }

  private func command(_ script: String) throws -> CommandDelivery.Command {
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    let text = "#!/bin/sh\nstart=$(pwd)\ncd \(folder.path)\n\(script)\n"
    // Another process writes it: a child that another test starts meanwhile would inherit the open file, and a file that
    // is open for writing cannot be run.
    let writer = try Process.run(
      URL(filePath: "/bin/sh"), arguments: ["-c", "printf %s \"$1\" > \"$0\" && chmod 755 \"$0\"", path("tell"), text])
    writer.waitUntilExit()
    try #require(writer.terminationStatus == 0)
    try #require(mkfifo(path("pipe"), 0o600) == 0)
    return CommandDelivery.Command(path: path("tell"), socket: "/nowhere")
  }

  /// Waits until a command opens the pipe, and after `body` until no process has it open. False when one still has it
  /// open half a minute later.
  private func hasEnded(after body: () -> Void) -> Bool {
    let pipe = open(path("pipe"), O_RDONLY | O_CLOEXEC)
    defer { close(pipe) }
    body()
    var state = pollfd(fd: pipe, events: 0, revents: 0)
    return poll(&state, 1, 30_000) == 1
  }

  private func remove() { try? FileManager.default.removeItem(at: folder) }

  @Test func aCommandThatTakesTooLongIsKilled() throws {
    defer { remove() }
    let failure = try CommandDelivery(patience: 0.1).deliver("{}", by: command("sleep 100\ntrue"))
    #expect(failure == "\(path("tell")) was killed: it took longer than 1 s")
  }

  @Test func whatACommandStartedIsKilledWithIt() throws {
    defer { remove() }
    // Only the subshell opens the pipe.
    let command = try command("(exec 3>pipe; sleep 100)\ntrue")
    let input = open("/dev/null", O_RDONLY | O_CLOEXEC)
    let group = try CommandGroup(path: command.path, environment: [], input: input)
    close(input)
    #expect(hasEnded { group.kill(.limit) })
    #expect(group.wait() == .killed(.limit))
  }

  @Test func whatACommandLeavesInTheBackgroundIsNotWaitedFor() throws {
    defer { remove() }
    #expect(try CommandDelivery().deliver("{}", by: command("sleep 100 &\necho $! > left\nexit 0")) == nil)
    let left = try #require(pid_t(String(contentsOfFile: path("left"), encoding: .utf8).dropLast()))
    #expect(kill(left, SIGKILL) == 0)
  }

  @Test func aStopKillsTheCommandAndLetsNoneBegin() throws {
    defer { remove() }
    let command = try command("exec 3>pipe\nsleep 100\ntrue")
    let delivery = CommandDelivery()
    let queue = DispatchQueue(label: "delivery")
    queue.async { @Sendable in
      #expect(delivery.deliver("{}", by: command)?.hasSuffix("was killed: the daemon stops") == true)
    }
    #expect(hasEnded { delivery.stop() })
    queue.sync {}
    #expect(delivery.deliver("{}", by: command)?.hasSuffix("is not run: the daemon stops") == true)
  }

  @Test func aCommandGetsTheTextAndNothingElse() throws {
    defer { remove() }
    var command = try command("{ cat; echo $start; ls /proc/self/fd; env; } > got\nexit 3")
    #expect(CommandDelivery().deliver("{}", by: command)?.hasSuffix("ended with code 3") == true)
    let got = try String(contentsOfFile: path("got"), encoding: .utf8)
    // `ls` itself opens the fourth.
    #expect(got.hasPrefix("{}\n/\n0\n1\n2\n3\n"), "\(got)")
    #expect(got.contains("KEYREG_SOCKET=/nowhere\n") && !got.contains("HOME="), "\(got)")
    command.path = "/nowhere/tell"
    #expect(CommandDelivery().deliver("{}", by: command) == "/nowhere/tell cannot be run: No such file or directory")
  }
}
