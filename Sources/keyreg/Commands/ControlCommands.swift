import ArgumentParser
import ControlAPI
import Registration

struct RetryCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "retry", abstract: "Put failed keys back to pending.",
    discussion: "Without options, all failed keys. With several, only the keys that match them all.")

  @OptionGroup var options: ClientOptions

  @Option(help: "Only keys of this list.")
  var list: String?

  @Option(help: "Only keys whose error contains this text.")
  var error: String?

  @Argument(help: "Only these keys.")
  var keys: [AppKeyID] = []

  func run() throws {
    let client = try options.commander()
    let request = RetryRequest(list: list, error: error, keys: keys)
    let result = try ListHint.adding(to: list, client) { try DaemonProbe.during(client) { try client.retry(request) } }
    try StandardOutput.line("\(result.retried.counted("key")) put back to pending")
    guard result.retried < keys.count, let unknown = try keys.first(where: { try isUnknown($0, client) }) else {
      return
    }
    throw Failure(.noSuchFile, "no list has brought the key \(unknown)")
  }

  private func isUnknown(_ key: AppKeyID, _ client: ControlClient) throws -> Bool {
    do {
      _ = try client.key(key)
      return false
    } catch ControlClientError.refused(404, _, _, _) {
      return true
    }
  }
}

struct PauseCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "pause",
    abstract: "Send nothing more until resume. Survives restarts; requests in flight are finished.")

  @OptionGroup var options: ClientOptions

  @Option(help: "The reason, which status shows.")
  var reason: String?

  func run() throws {
    _ = try options.commander().pause(reason: reason)
    try StandardOutput.line("paused")
  }
}

struct ResumeCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "resume", abstract: "End a pause, or accept the refusals of a hold.")

  @OptionGroup var options: ClientOptions

  func run() throws {
    _ = try options.commander().resume()
    try StandardOutput.line("resumed")
  }
}

struct CancelCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "cancel", abstract: "Cancel the open keys of a list, except those that another list still needs.")

  @OptionGroup var options: ClientOptions

  @Argument(help: "The list's name.")
  var list: String

  func run() throws {
    let client = try options.commander()
    let result = try ListHint.adding(to: list, client) { try DaemonProbe.during(client) { try client.cancel(list) } }
    let open = result.inFlight ?? 0
    try StandardOutput.line(
      "\(result.cancelled.counted("key")) cancelled"
        + (open > 0 ? "; \(open.counted("more key")) in flight, open until the reply is known" : ""))
  }
}

struct ReloadCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "reload", abstract: "Reload the configuration and credentials. A bad configuration changes nothing.")

  @OptionGroup var options: ClientOptions

  func run() throws {
    do {
      let result = try options.commander().reload()
      try StandardOutput.line(
        "reloaded" + (result.changed.isEmpty ? "" : ": " + result.changed.joined(separator: ", ")))
      if !result.needsRestart.isEmpty {
        let names = result.needsRestart.joined(separator: ", ")
        StandardError.write("keyreg: warning: takes effect only after a restart: \(PrintableText.escape(names))\n")
      }
    } catch ControlClientError.refused(let status, _, let message, let hint) where status == 403 || status == 422 {
      throw Failure(
        status == 403 ? .permission : .configuration, message,
        hint: (hint.map { "\($0); " } ?? "") + "the old settings stay in force")
    }
  }
}
