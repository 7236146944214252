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
    if let time = key.nextAttemptAt { lines.append(("next attempt", "\(time)")) }
    if let error = key.error {
      lines.append(("error", [error.title, error.detail].compactMap { $0 }.joined(separator: ": ")))
    }
    lines.append(("lists", key.lists.joined(separator: ", ")))
    for (name, value) in lines {
      try StandardOutput.line(
        name + String(repeating: " ", count: 15 - name.count) + PrintableText.escape(value, limit: 1_000))
    }
  }
}

extension AppKeyID: ExpressibleByArgument {
  public init?(argument: String) { self.init(argument) }
}
