import Dispatch
import Glibc
import Registration
import Synchronization

/// Runs `notify.command` with an announcement on its standard input, one at a time.
final class CommandDelivery: Sendable {
  /// What is run.
  struct Command {
    var path: String
    var instance: String?
    var socket: String

    /// Nothing of the daemon's own: its environment may hold credentials.
    fileprivate var environment: [String] {
      ["PATH=/usr/local/bin:/usr/bin:/bin", "KEYREG_SOCKET=\(socket)"]
        + (instance.map { ["KEYREG_INSTANCE=\($0)"] } ?? [])
    }
  }

  private enum State {
    case idle
    case running(CommandGroup)
    /// The daemon ends: nothing more is run.
    case stopped
  }

  /// Seconds after which the command is killed, with all that it started.
  private let patience: Double
  private let limits = DispatchQueue(label: "keyreg.notify.limit")
  private let state = Mutex(State.idle)

  init(patience: Double = 30) {
    self.patience = patience
  }

  /// Blocks until the command has ended. Returns what went wrong, nil for nothing.
  func deliver(_ text: String, by command: Command) -> String? {
    do throws(SystemFault) {
      guard let group = try start(command, with: text) else { return "\(command.path) is not run: the daemon stops" }
      return failure(of: command, group)
    } catch {
      return "\(command.path) cannot be run: \(error.text)"
    }
  }

  private func failure(of command: Command, _ group: CommandGroup) -> String? {
    let limit = DispatchWorkItem { group.kill(.limit) }
    limits.asyncAfter(deadline: .now() + patience, execute: limit)
    let ending = group.wait()
    limit.cancel()
    state.withLock { state in
      if case .running = state { state = .idle }
    }
    switch ending {
    case .code(0): return nil
    case .code(let code): return "\(command.path) ended with code \(code)"
    case .signal(let signal): return "\(command.path) ended with signal \(signal)"
    case .killed(.limit):
      return "\(command.path) was killed: it took longer than \(DurationText.approximate(seconds: patience))"
    case .killed(.stop): return "\(command.path) was killed: the daemon stops"
    }
  }

  /// Kills the command, and runs none from now on.
  func stop() {
    state.withLock { state in
      if case .running(let group) = state { group.kill(.stop) }
      state = .stopped
    }
  }

  /// Nil after `stop`.
  private func start(_ command: Command, with text: String) throws(SystemFault) -> CommandGroup? {
    var ends: [Int32] = [-1, -1]
    guard pipe(&ends) == 0 else { throw SystemFault(code: errno) }
    defer { for end in ends { close(end) } }
    // All of it before anything reads: it fits into the pipe, and a command need not read it.
    _ = fcntl(ends[1], F_SETFL, O_NONBLOCK)
    try FileIO.write(Array((text + "\n").utf8).span.bytes, to: ends[1])
    let input = ends[0]
    // Under the lock, so that `stop` misses none.
    return try state.withLock { state throws(SystemFault) in
      if case .stopped = state { return nil }
      let group = try CommandGroup(path: command.path, environment: command.environment, input: input)
      state = .running(group)
      return group
    }
  }
}
