import CSpawn
import Glibc
import Registration
import Synchronization

/// A program that was started in a process group of its own, so that it can be killed with whatever it started.
///
/// What counts is the end of the program itself: what it leaves in the background is neither waited for nor killed.
final class CommandGroup: Sendable {
  enum Cause {
    case limit, stop
  }

  enum Ending: Equatable {
    case code(Int32)
    case signal(Int32)
    case killed(Cause)
  }

  private enum State {
    case running
    case killed(Cause)
    /// It was seen to end, so its number may soon be another process's.
    case ended
  }

  /// The number of the process, and of its group.
  private let number: pid_t
  private let state = Mutex(State.running)

  /// Starts the program at `path` in `/`, with no arguments and no descriptors but these.
  ///
  /// - Parameters:
  ///   - environment: All that it gets, as `NAME=value`.
  ///   - input: Its standard input. Its output goes nowhere.
  init(path: String, environment: [String], input: Int32) throws(SystemFault) {
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    // The daemon ignores some signals.
    var (all, none) = (sigset_t(), sigset_t())
    sigfillset(&all)
    sigemptyset(&none)
    for code in [
      posix_spawn_file_actions_adddup2(&actions, input, 0),
      posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0),
      posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0),
      cspawn_add_closefrom(&actions, 3), cspawn_add_chdir(&actions, "/"),
      posix_spawnattr_setsigdefault(&attributes, &all), posix_spawnattr_setsigmask(&attributes, &none),
      posix_spawnattr_setpgroup(&attributes, 0),
      posix_spawnattr_setflags(
        &attributes, Int16(POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK)),
    ] where code != 0 {
      throw SystemFault(code: code)
    }
    var arguments = [strdup(path), nil]
    var variables = environment.map { strdup($0) } + [nil]
    defer { for text in arguments + variables { free(text) } }
    var number: pid_t = 0
    let code = posix_spawn(&number, path, &actions, &attributes, &arguments, &variables)
    guard code == 0 else { throw SystemFault(code: code) }
    self.number = number
  }

  /// Kills the program and all that is in its group, unless it has ended.
  func kill(_ cause: Cause) {
    state.withLock { state in
      guard case .running = state else { return }
      _ = Glibc.kill(-number, SIGKILL)
      state = .killed(cause)
    }
  }

  /// Blocks until the program ends. To be called once.
  func wait() -> Ending {
    var information = siginfo_t()
    // Its number stays its own until `waitpid`.
    while waitid(P_PID, id_t(number), &information, WEXITED | WNOWAIT) < 0 && errno == EINTR {}
    let cause: Cause? = state.withLock { state in
      defer { state = .ended }
      return if case .killed(let cause) = state { cause } else { nil }
    }
    var status: Int32 = 0
    while waitpid(number, &status, 0) < 0 && errno == EINTR {}
    let signal = status & 0x7f
    guard signal != 0 else { return .code(status >> 8 & 0xff) }
    // It may have ended by itself just before.
    guard signal == SIGKILL, let cause else { return .signal(signal) }
    return .killed(cause)
  }
}
