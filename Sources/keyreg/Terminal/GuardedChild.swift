import Foundation
import Glibc
import Registration

/// Runs the command again in a child process that may hang. See `HangGuard`.
enum GuardedChild {
  /// The variable with the number of the descriptor that connects a child to its parent.
  private static let variable = "KEYREG_GUARD_PIPE"

  /// Returns in the child, or if no child can be started. The parent ends as the child does, and never returns.
  static func enter() -> HangGuard {
    if let parent = takeParent() { return HangGuard(parent: parent) }
    guard let (child, pipe) = start() else { return HangGuard(parent: nil) }
    if let code = try? FileIO.read(pipe, upTo: 1).first {
      // It has printed the reason. Whatever it waits for, it must do nothing else afterwards.
      kill(child, SIGKILL)
      exit(Int32(code))
    }
    end(with: child)
  }

  private static func takeParent() -> Int32? {
    guard let text = getenv(variable), let number = Int32(String(cString: text)) else { return nil }
    unsetenv(variable)
    var status = stat()
    guard fstat(number, &status) == 0, status.st_mode & S_IFMT == S_IFIFO else { return nil }
    _ = fcntl(number, F_SETFD, FD_CLOEXEC)
    return number
  }

  private static func start() -> (pid: pid_t, pipe: Int32)? {
    var ends: [Int32] = [-1, -1]
    guard pipe(&ends) == 0 else { return nil }
    defer { close(ends[1]) }
    _ = fcntl(ends[0], F_SETFD, FD_CLOEXEC)
    let variables = ProcessInfo.processInfo.environment.map { "\($0)=\($1)" } + ["\(variable)=\(ends[1])"]
    var arguments = CommandLine.arguments.map { strdup($0) } + [nil]
    var environment = variables.map { strdup($0) } + [nil]
    defer { for text in arguments + environment { free(text) } }
    var child: pid_t = 0
    guard posix_spawn(&child, "/proc/self/exe", nil, nil, &arguments, &environment) == 0 else {
      close(ends[0])
      return nil
    }
    return (child, ends[0])
  }

  private static func end(with child: pid_t) -> Never {
    var status: Int32 = 0
    while waitpid(child, &status, 0) < 0 && errno == EINTR {}
    let signal = status & 0x7f
    if signal != 0 {
      Glibc.signal(signal, SIG_DFL)
      kill(getpid(), signal)
    }
    exit(signal == 0 ? status >> 8 & 0xff : 128 + signal)
  }
}
