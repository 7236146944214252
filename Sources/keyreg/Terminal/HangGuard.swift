import Dispatch
import Glibc
import Registration
import RegistrationDaemon
import Spool
import Synchronization

/// Ends a command whose file system hangs, in time and with a message.
///
/// Nothing frees a thread that waits for a file system, often not even SIGKILL, so a process with such a thread cannot
/// end. So the work is done in a child process, and the caller of the command waits for its parent, which never touches
/// the file system.
final class HangGuard: Sendable {
  private struct Step {
    var deadline: DispatchTime
    var failure: Failure
  }

  private enum State {
    case elsewhere
    case under(Step)
    /// The process is ending.
    case expired
  }

  /// Seconds that one step may take on a working file system.
  static let patience = 10.0
  private static let interval = 0.5

  /// The pipe that shows the parent that the work is done; nil without a parent.
  private let parent: Int32?
  private let queue = DispatchQueue(label: "keyreg.hang-guard")
  private let state = Mutex(State.elsewhere)

  init(parent: Int32?) {
    self.parent = parent
    checkSoon()
  }

  /// Runs `body`. When that takes longer than `seconds` the command ends with `failure`.
  func run<Value>(
    within seconds: Double = patience, orEndWith failure: Failure, _ body: () throws -> Value
  ) rethrows -> Value {
    state.withLock { $0 = .under(Step(deadline: .now() + seconds, failure: failure)) }
    defer { leave() }
    return try body()
  }

  private func leave() {
    let isExpired = state.withLock { state in
      if case .expired = state { return true }
      state = .elsewhere
      return false
    }
    // The message is only true if nothing more happens.
    while isExpired { pause() }
  }

  private func checkSoon() {
    queue.asyncAfter(deadline: .now() + Self.interval) { @Sendable [weak self] in self?.check() }
  }

  /// Nobody reads the other end of the pipe.
  private var isOrphan: Bool {
    guard let parent else { return false }
    var state = pollfd(fd: parent, events: 0, revents: 0)
    return poll(&state, 1, 0) == 1 && state.revents & Int16(POLLERR) != 0
  }

  private func check() {
    // Ending the parent is meant to end the work.
    if isOrphan { exit(Exit.tryAgain.rawValue) }
    let failure = state.withLock { state -> Failure? in
      guard case .under(let step) = state, step.deadline < .now() else { return nil }
      state = .expired
      return step.failure
    }
    guard let failure else { return checkSoon() }
    StandardError.write(failure.text)
    // A process that cannot end keeps its descriptors, and readers of its output would wait for them to close.
    for descriptor in [STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO] { close(descriptor) }
    let code = [UInt8(clamping: failure.exit.rawValue)]
    if let parent { try? FileIO.write(code.span.bytes, to: parent) }
    exit(failure.exit.rawValue)
  }
}

extension HangGuard {
  /// Refuses paths of another instance, and paths of the daemon's own in the spool. Following the links in the spool's path
  /// accesses its file system.
  func refuseForeign(_ loaded: LoadedSettings, for instance: Instance) throws {
    try loaded.refuseForeign(LoadedSettings.OwnPlace.allCases.filter { $0 != .spool }, for: instance)
    let silence = Self.silence(of: loaded.settings.spoolDirectory)
    try run(orEndWith: Failure(silence)) { try loaded.refuseSpool(for: instance) }
  }

  /// Refuses folders that carry another instance's stamp. Whoever may not read a stamp learns nothing from it.
  func refuseForeignStamps(_ settings: Settings, for instance: Instance) throws {
    func check(_ folder: String) throws {
      do throws(InstanceStamp.Refusal) {
        try InstanceStamp(folder: folder).check(for: instance)
      } catch {
        if error.code == 0 { throw error }
      }
    }
    try check(settings.stateDirectory)
    try run(orEndWith: Failure(Self.silence(of: settings.spoolDirectory))) { try check(settings.spoolDirectory) }
  }

  static func silence(of spool: String) -> SpoolError { .unanswered(spool: spool, "for \(Int(patience)) s") }
}
