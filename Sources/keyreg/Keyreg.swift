import ArgumentParser
import Foundation
import Glibc
import Systemd

@main
struct Keyreg: ParsableCommand {
  static let version = "0.1.0"

  static let configuration = CommandConfiguration(
    commandName: "keyreg",
    abstract: "Registers lists of Datadog application keys, within the rate limit and without losing one.",
    discussion: """
      Lists of key ids are dropped into a spool folder; a daemon registers each key and records its outcome.
      Try it without an account: keyreg demo
      """,
    version: version,
    subcommands: [
      RunCommand.self, SubmitCommand.self, StatusCommand.self, ListsCommand.self, OutcomesCommand.self, KeyCommand.self,
      RetryCommand.self, PauseCommand.self, ResumeCommand.self, CancelCommand.self, ReloadCommand.self,
      BackupCommand.self, RestoreCommand.self, CheckCommand.self, SandboxCommand.self, DemoCommand.self,
    ])

  /// The one place where an error becomes a message and an exit code.
  static func main() {
    signal(SIGPIPE, SIG_IGN)
    do {
      var command = try parseAsRoot()
      try command.run()
    } catch {
      let code = exitCode(for: error)
      if code == .success || error is ExitCode { exit(withError: error) }
      let failure = Failure(error, usage: code == .validationFailure ? message(for: error) : nil)
      // The journal takes a line's priority from its beginning.
      let isJournal =
        LogFormat.detected(journalStream: ProcessInfo.processInfo.environment["JOURNAL_STREAM"]) == .journal
      StandardError.write(isJournal ? failure.text.split(separator: "\n").map { "<3>\($0)\n" }.joined() : failure.text)
      Glibc.exit(failure.exit.rawValue)
    }
  }
}
