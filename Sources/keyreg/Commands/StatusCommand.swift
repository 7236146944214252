import ArgumentParser
import ControlAPI
import Foundation
import Glibc
import Registration
import RegistrationDaemon

struct StatusCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "status", abstract: "Show the progress of the open lists together, or of one list.",
    discussion: """
      Exit codes: 0 done, 1 some keys failed or were cancelled (with --wait), 3 not running, 4 no permission, 66 no such \
      list, 75 timed out.
      """)

  @OptionGroup var options: ClientOptions

  @Flag(help: "Print the status document, or that of LIST, as JSON.")
  var json = false

  @Flag(help: "Show progress as it happens: redrawn on a terminal, a line a second elsewhere.")
  var watch = false

  @Flag(help: "Wait until every key, or every key of LIST, has an outcome.")
  var wait = false

  @Option(help: ArgumentHelp("Give up waiting after this long (30s, 5m, 2h).", valueName: "duration"))
  var timeout: String?

  @Argument(help: "A list's name.")
  var list: String?

  func validate() throws {
    if timeout != nil, !wait { throw ValidationError("--timeout needs --wait") }
    if let timeout, DurationText.milliseconds(timeout) == nil {
      throw ValidationError("--timeout takes a duration with a unit, such as 30s, 5m or 2h")
    }
  }

  /// Of all commands, only this one has a code for a socket that cannot be used, the LSB's: the status is not known.
  func run() throws {
    do {
      try show()
    } catch let error as ControlClientError {
      let failure = Failure(error)
      switch error {
      case .forbidden, .unreachable: throw Failure(.unreachable, failure.message, hint: failure.hint)
      case .notRunning, .refused, .timedOut, .cutOff, .malformed: throw failure
      }
    }
  }

  private func show() throws {
    let client = try options.client()
    let environment = options.instance.environment
    if wait { return try StatusWait(client: client, list: list, timeout: timeout, isShown: watch, isJSON: json).run() }
    let style = TerminalStyle.current(environment: environment)
    do {
      if watch {
        let subject = list.map(WatchedSubject.list) ?? .everything
        return try StatusWatch(client: client, subject: subject, isJSON: json, environment: environment).run()
      }
      if let list { return try show(try client.list(list), style) }
    } catch ControlClientError.refused(404, let code, let message, let hint) {
      guard let list else { throw ControlClientError.refused(status: 404, code: code, message: message, hint: hint) }
      try showUnknown(list, client, code: code, message: message, hint: hint)
      return
    }
    let status = try client.status()
    if json { return try StandardOutput.line(try status.json()) }
    let minutes = style.columns == nil ? [] : try RecentMinutes.outcomes(client, count: 20)
    try write(StatusView(status: status, style: style, minutes: minutes).block)
  }

  private func show(_ list: ListDocument, _ style: TerminalStyle) throws {
    if json { return try StandardOutput.line(try list.json()) }
    try write(ListView(list: list, style: style).block)
  }

  private func write(_ block: [String]) throws {
    try StandardOutput.write(block.map { $0 + "\n" }.joined())
  }

  /// A list that waits to be read is not unknown.
  private func showUnknown(
    _ name: String, _ client: ControlClient, code: String, message: String, hint: String?
  ) throws {
    switch code {
    case "rejected": throw Failure(.badList, message, hint: hint)
    case "incoming":
      let file =
        try client.lists(ListQuery()).unread.first { $0.name == name && $0.state == .blocked }
        ?? UnreadDocument(name: name, state: .other("incoming"), reason: "waiting to be read")
      if json { return try StandardOutput.line(try file.json()) }
      let isBlocked = file.state == .blocked ? "cannot be read: " : ""
      try StandardOutput.line("\(PrintableText.escape(name)): \(isBlocked)\(PrintableText.escape(file.reason))")
      if let hint = file.hint { StandardError.write("hint: \(PrintableText.escape(hint))\n") }
    default: throw Failure(.noSuchFile, message, hint: hint ?? ListHint.nearest(to: name, client))
    }
  }
}
