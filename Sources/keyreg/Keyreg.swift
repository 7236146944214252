import ArgumentParser
import Foundation
import Glibc
import Journal

@main
struct Keyreg: ParsableCommand {
  static let version = "0.1.0"

  static let configuration = CommandConfiguration(
    commandName: "keyreg",
    abstract: "Register lists of Datadog application keys within the rate limit, without losing a key.",
    discussion: """
      Drop lists of key ids into a spool folder; a daemon registers each key and records its outcome.
      To try it without an account, run: keyreg demo
      """,
    version: version,
    subcommands: [
      RunCommand.self, SubmitCommand.self, StatusCommand.self, ListsCommand.self, OutcomesCommand.self, KeyCommand.self,
      LimitsCommand.self, InstancesCommand.self, RetryCommand.self, PauseCommand.self, ResumeCommand.self,
      CancelCommand.self, SetCommand.self, ReloadCommand.self, BackupCommand.self, RestoreCommand.self,
      CheckCommand.self, SandboxCommand.self, DemoCommand.self,
    ])

  /// For a mistyped command: the one that was probably meant.
  private static func commandHint(_ word: String?) -> String? {
    let names = configuration.subcommands.compactMap { $0.configuration.commandName } + ["help"]
    guard let word, !word.hasPrefix("-"), !names.contains(word) else { return nil }
    return Nearest.word(to: word, in: names).map { "did you mean keyreg \($0)?" }
  }

  /// Prints help, the version or a completion script. If the disk is full, it reports an error instead of printing half.
  private static func show(_ text: String) -> Never {
    do {
      try StandardOutput.line(text)
    } catch {
      let failure = Failure(error)
      StandardError.write(failure.text)
      Glibc.exit(failure.exit.rawValue)
    }
    Glibc.exit(Exit.done.rawValue)
  }

  /// A descriptor that the caller has closed would be given to the next file that is opened, and messages would go there.
  private static func openStandardStreams() {
    for descriptor in STDIN_FILENO...STDERR_FILENO where fcntl(descriptor, F_GETFD) < 0 {
      // The lowest free descriptor, which is this one. Without /dev/null there is nothing better to do.
      _ = open("/dev/null", O_RDWR)
    }
  }

  /// The one place where an error becomes a message and an exit code.
  static func main() {
    signal(SIGPIPE, SIG_IGN)
    openStandardStreams()
    do {
      var command = try parseAsRoot()
      try command.run()
    } catch {
      let code = exitCode(for: error)
      if error is ExitCode { exit(withError: error) }
      if code == .success { show(fullMessage(for: error)) }
      var failure = Failure(error, usage: code == .validationFailure ? message(for: error) : nil)
      if code == .validationFailure, let hint = commandHint(CommandLine.arguments.dropFirst().first) {
        failure = Failure(failure.exit, failure.message, hint: hint)
      }
      // The journal takes a line's priority from its prefix.
      let isJournal =
        LogFormat.detected(journalStream: ProcessInfo.processInfo.environment["JOURNAL_STREAM"]) == .journal
      StandardError.write(isJournal ? failure.text.split(separator: "\n").map { "<3>\($0)\n" }.joined() : failure.text)
      Glibc.exit(failure.exit.rawValue)
    }
  }
}
