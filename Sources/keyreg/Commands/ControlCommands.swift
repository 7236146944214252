import ArgumentParser
import ControlAPI
import Registration

struct RetryCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "retry", abstract: "Puts failed keys back to pending.",
    discussion: "Without any choice: all failed keys. Choices narrow each other down.")

  @OptionGroup var options: ClientOptions

  @Option(help: "Only keys of this list.")
  var list: String?

  @Option(help: "Only keys whose error has this text in it.")
  var error: String?

  @Argument(help: "Only these keys.")
  var keys: [AppKeyID] = []

  func run() throws {
    let client = try options.commander()
    let request = RetryRequest(list: list, error: error, keys: keys)
    let result = try DaemonProbe.during(client) { try client.retry(request) }
    try StandardOutput.line("\(result.retried) keys are pending again")
  }
}

struct PauseCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "pause", abstract: "Sends nothing more until resume. Outlives restarts; requests under way end.")

  @OptionGroup var options: ClientOptions

  @Option(help: "Shown by status.")
  var reason: String?

  func run() throws {
    _ = try options.commander().pause(reason: reason)
    try StandardOutput.line("paused")
  }
}

struct ResumeCommand: ParsableCommand {
  static let configuration = CommandConfiguration(commandName: "resume", abstract: "Ends a pause.")

  @OptionGroup var options: ClientOptions

  func run() throws {
    _ = try options.commander().resume()
    try StandardOutput.line("resumed")
  }
}

struct CancelCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "cancel", abstract: "Cancels the keys of a list that are still open and in no other live list.")

  @OptionGroup var options: ClientOptions

  @Argument(help: "The list's name.")
  var list: String

  func run() throws {
    let client = try options.commander()
    let result = try DaemonProbe.during(client) { try client.cancel(list) }
    try StandardOutput.line("\(result.cancelled) keys are cancelled")
  }
}

struct ReloadCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "reload", abstract: "Reads configuration and credentials anew. A bad configuration changes nothing.")

  @OptionGroup var options: ClientOptions

  func run() throws {
    do {
      let result = try options.commander().reload()
      try StandardOutput.line(
        "reloaded" + (result.changed.isEmpty ? "" : ": " + result.changed.joined(separator: ", ")))
      if !result.needsRestart.isEmpty {
        let names = result.needsRestart.joined(separator: ", ")
        StandardError.write("keyreg: warning: not in force before a restart: \(PrintableText.escape(names))\n")
      }
    } catch ControlClientError.refused(let status, _, let message, let hint) where status == 403 || status == 422 {
      throw Failure(
        status == 403 ? .permission : .configuration, message,
        hint: (hint.map { "\($0); " } ?? "") + "the old settings stay in force")
    }
  }
}
