import ArgumentParser
import ControlAPI
import Registration

/// How a list is processed.
struct TermsOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "0 to 9, 5 by default. Lists of a higher priority go first; the others get at least a tenth of the requests.",
      valueName: "n"))
  var priority: Int?

  @Option(
    help: ArgumentHelp(
      """
      Cancel the rest of the list once more than this share of its finished keys has failed, such as 5%; at least \
      \(ListTerms.leastFinished) must be finished. Or: never.
      """, valueName: "share"))
  var stopAfter: String?

  func validate() throws {
    if let priority, !ListTerms.priorities.contains(priority) { throw ValidationError("--priority is 0 to 9") }
    if let stopAfter, ListTermsChange.Stop(stopAfter) == nil {
      throw ValidationError("--stop-after takes a share such as 5%, or never")
    }
  }

  var change: ListTermsChange {
    ListTermsChange(priority: priority, stop: stopAfter.flatMap { ListTermsChange.Stop($0) })
  }

  /// For a new list.
  var terms: ListTerms {
    var terms = ListTerms(priority: priority ?? ListTerms.usualPriority)
    if case .after(let share) = change.stop { terms.stopAfter = share }
    return terms
  }
}

struct SetCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "set", abstract: "Change how a list is processed: its priority, and when it is stopped.",
    discussion:
      "Takes effect at once, and survives restarts. To continue a list that was stopped, submit it again.")

  @OptionGroup var options: ClientOptions

  @OptionGroup var terms: TermsOptions

  @Argument(help: "The list's name.")
  var list: String

  func validate() throws {
    try terms.validate()
    if terms.change == ListTermsChange() { throw ValidationError("say what to change: --priority or --stop-after") }
  }

  func run() throws {
    let client = try options.commander()
    let list = try ListHint.adding(to: self.list, client) {
      try DaemonProbe.during(client) { try client.set(self.list, terms.change) }
    }
    let stop = list.stopAfter.map { "stopped after \(ListTerms.describe(share: $0)) failures" } ?? "never stopped"
    try StandardOutput.line(
      "\(PrintableText.escape(list.name)): priority \(list.priority ?? ListTerms.usualPriority), \(stop)")
  }
}
