import ArgumentParser
import ControlAPI
import Foundation

struct LimitsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "limits",
    abstract: "Show the rate limits as keyreg knows them, since when and from which replies, and how much was used.",
    discussion: "Send this text to the vendor's support when you ask for a higher limit. Times are in UTC.")

  @OptionGroup var options: ClientOptions

  @Flag(help: "Print one JSON document.")
  var json = false

  func run() throws {
    let limits = try options.client().limits()
    if json { return try StandardOutput.line(try limits.json()) }
    let style = TerminalStyle.current(environment: ProcessInfo.processInfo.environment)
    for line in LimitsView(limits).lines(in: style) { try StandardOutput.line(line) }
  }
}
