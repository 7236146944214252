import ArgumentParser
import ControlAPI
import Registration

struct KeyCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "key", abstract: "Show everything that is known about one key.")

  @OptionGroup var options: ClientOptions

  @Flag(help: "Print one JSON document.")
  var json = false

  @Argument(help: "The key's id, a UUID.")
  var id: AppKeyID

  func run() throws {
    let key = try options.client().key(id)
    if json { return try StandardOutput.line(try key.json()) }
    var lines = [("key", key.appKeyID), ("state", key.state.rawValue), ("attempts", "\(key.attempts)")]
    if let status = key.httpStatus { lines.append(("http status", "\(status)")) }
    if let time = key.firstAttemptAt { lines.append(("first attempt", "\(time)")) }
    if let time = key.finishedAt { lines.append(("finished", "\(time)")) }
    switch (key.state, key.nextAttemptAt) {
    case (_, let time?): lines.append(("next attempt", "\(time)"))
    case (.retrying, nil): lines.append(("next attempt", "due"))
    default: break
    }
    if let error = key.error {
      lines.append(("error", [error.title, error.detail].compactMap { $0 }.joined(separator: ": ")))
    }
    lines.append(("lists", key.lists.joined(separator: ", ")))
    let style = TerminalStyle.current(environment: options.instance.environment)
    for (name, value) in lines {
      let line = ShownText.padded(name, to: 13) + " " + PrintableText.escape(value, limit: 1_000)
      for part in style.fold(line, indent: 14) { try StandardOutput.line(part) }
    }
  }
}

extension AppKeyID: ExpressibleByArgument {
  public init?(argument: String) { self.init(argument) }
}
