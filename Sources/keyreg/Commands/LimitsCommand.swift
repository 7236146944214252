import ArgumentParser
import ControlAPI
import Foundation

struct LimitsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "limits",
    abstract: "Show what is believed of the rate limits, since when and from which replies, and what was used.",
    discussion: "This is the text to send to the vendor's support with a request for a higher limit. Times are UTC.")

  @OptionGroup var options: ClientOptions

  @Flag(help: "Print one JSON document.")
  var json = false

  func run() throws {
    let limits = try options.client().limits()
    if json { return try StandardOutput.line(try limits.json()) }
    let style = TerminalStyle.current(environment: ProcessInfo.processInfo.environment)
    for line in LimitsView(limits).lines { try StandardOutput.line(style.cut(line)) }
  }
}
