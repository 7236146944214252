import ArgumentParser
import ControlAPI
import Foundation
import Registration
import RegistrationDaemon

struct OutcomesCommand: ParsableCommand {
  enum Format: String, ExpressibleByArgument, CaseIterable {
    case table
    case csv
    case jsonl
  }

  static let configuration = CommandConfiguration(
    commandName: "outcomes", abstract: "Show the recorded outcome of each key, in order of import.")

  @OptionGroup var options: ClientOptions

  @Option(help: "Only keys of this list.")
  var list: String?

  @Option(help: "Only keys in this state.")
  var state: KeyState?

  @Option(help: "Only keys whose error contains this text, or whose HTTP status is this number.")
  var error: String?

  @Option(
    help: ArgumentHelp(
      "Only outcomes since a time (2026-11-26T11:44:20Z), or since 30m, 2h, 7d ago.", valueName: "time"))
  var since: String?

  @Option(help: "Show at most this many outcomes.")
  var limit: Int64?

  @Flag(help: "Count the outcomes by state, HTTP status and error.")
  var summary = false

  @Flag(name: [.short, .long], help: "Then show new outcomes as they come, until interrupted.")
  var follow = false

  @Option(help: "The output format.")
  var format = Format.table

  func validate() throws {
    if let limit, limit < 1 { throw ValidationError("--limit must be 1 or more") }
    if let since, Self.time(since) == nil {
      throw ValidationError("--since must be a time like 2026-11-26T11:44:20Z, or a duration like 30m, 2h or 7d")
    }
    if summary, format != .table { throw ValidationError("--summary is a table: leave out --format") }
    if follow, summary || limit != nil { throw ValidationError("--follow has no end: leave out --summary and --limit") }
  }

  private static func time(_ text: String) -> Timestamp? {
    if let ago = DurationText.milliseconds(text) { return Timestamp.now().adding(seconds: -Double(ago) / 1_000) }
    return OutcomeQuery.time(text)
  }

  func run() throws {
    let client = try options.client()
    let query = OutcomeQuery(
      list: list, state: state, error: error, since: since.flatMap(Self.time), limit: limit)
    let style = TerminalStyle.current(environment: options.instance.environment)
    do {
      if summary { return try OutcomeSummary.show(client, query, style) }
      let table = OutcomeTable(style: style, hasList: list == nil)
      if follow { return try OutcomeFollow(client: client, query: query, format: format, table: table).run() }
      try show(client, query, table)
    } catch ControlClientError.refused(404, _, let message, let hint) {
      throw Failure(.noSuchFile, message, hint: hint ?? list.map { ListHint.nearest(to: $0, client) })
    }
  }

  private func show(_ client: ControlClient, _ query: OutcomeQuery, _ table: OutcomeTable) throws {
    guard format == .table else { return try OutcomePieces.show(client, query, format, table) }
    // After the first piece, so that an error is not preceded by a heading.
    var heading: String? = table.heading
    try OutcomePieces.eachOutcome(client, query) { outcome in
      if let text = heading.take() { try StandardOutput.write(text) }
      try StandardOutput.write(table.row(outcome))
    }
    if let text = heading.take() { try StandardOutput.write(text) }
  }
}

extension KeyState: ExpressibleByArgument {
  public init?(argument: String) { self.init(name: argument) }
  public static var allValueStrings: [String] { allCases.map(\.name) }
}
