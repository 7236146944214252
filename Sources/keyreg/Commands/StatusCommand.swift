import ArgumentParser
import ControlAPI
import Foundation
import Glibc
import Registration
import RegistrationDaemon

struct StatusCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "status", abstract: "Shows progress.",
    discussion: "Exit codes: 0 done, 1 some keys failed (with --wait), 3 not running, 4 no permission, 75 timed out.")

  @OptionGroup var options: ClientOptions

  @Flag(help: "The status document as JSON.")
  var json = false

  @Flag(help: "Shows progress as it happens: redrawn on a terminal, a line a second elsewhere.")
  var watch = false

  @Flag(help: "Waits until every key, or every key of LIST, has an outcome.")
  var wait = false

  @Option(help: ArgumentHelp("Gives up waiting after this long (30s, 5m, 2h).", valueName: "duration"))
  var timeout: String?

  @Argument(help: "With --wait: the list to wait for.")
  var list: String?

  func validate() throws {
    if list != nil, !wait { throw ValidationError("LIST goes with --wait") }
    if timeout != nil, !wait { throw ValidationError("--timeout goes with --wait") }
    if let timeout, DurationText.milliseconds(timeout) == nil {
      throw ValidationError("--timeout takes a duration with its unit: 30s, 5m, 2h")
    }
  }

  func run() throws {
    let client = try options.client()
    if wait { return try StatusWait(client: client, list: list, timeout: timeout, isShown: watch).run() }
    if watch { return try follow(client) }
    let status = try client.status()
    if json {
      try StandardOutput.line(try status.json())
    } else {
      let isColoured = StatusView.mayColour(
        isTerminal: StandardOutput.isTerminal, environment: options.instance.environment)
      let view = StatusView(status: status, isColoured: isColoured, columns: StandardOutput.columns)
      try StandardOutput.write(view.block.map { $0 + "\n" }.joined())
    }
  }

  /// Until it is interrupted, or the daemon goes away.
  private func follow(_ client: ControlClient) throws {
    let environment = options.instance.environment
    // Neither colour nor redraw with NO_COLOR.
    let redraws = StatusView.mayColour(isTerminal: StandardOutput.isTerminal, environment: environment)
    let isColoured = redraws
    var redraw = Redraw { try StandardOutput.write($0) }
    while true {
      let status = try client.status()
      if json {
        try StandardOutput.line(try status.json())
      } else if redraws {
        try redraw.draw(StatusView(status: status, isColoured: isColoured, columns: StandardOutput.columns).block)
      } else {
        try StandardOutput.line("\(status.now) \(StatusView(status: status).line)")
      }
      usleep(redraws ? 250_000 : 1_000_000)
    }
  }
}

/// Blocks until keys have their outcome.
struct StatusWait {
  let client: ControlClient
  let list: String?
  let timeout: String?
  /// Whether progress is shown while waiting.
  let isShown: Bool

  /// How long a list may be unknown: it may just have been dropped.
  private static let grace = 3.0

  func run() throws {
    let start = MonotonicClock.now()
    let deadline = timeout.flatMap(DurationText.milliseconds).map { start + Double($0) / 1_000 }
    var redraw = Redraw { StandardError.write($0) }
    while true {
      let failed = try list.map { try outcome(of: $0, waited: MonotonicClock.now() - start) } ?? outcomeOfAll()
      if let failed {
        if failed > 0 { throw ExitCode(Exit.someFailed.rawValue) }
        return
      }
      if isShown, StandardError.isTerminal { try redraw.draw(StatusView(status: try client.status()).block) }
      if let deadline, MonotonicClock.now() >= deadline {
        throw Failure(.tryAgain, "not done within \(timeout ?? "")", hint: "keyreg status shows what it waits for")
      }
      usleep(200_000)
    }
  }

  /// How many keys failed, nil while some are open.
  private func outcomeOfAll() throws -> Int? {
    let status = try client.status()
    let keys = status.keys
    let lists = status.lists
    // Whoever waits wants to read the results next.
    let isOpen = lists.active + lists.incoming + lists.finishing + keys.pending + keys.inFlight + keys.retrying > 0
    return isOpen ? nil : keys.failed
  }

  private func outcome(of name: String, waited: Double) throws -> Int? {
    do {
      let list = try client.list(name)
      return list.results == nil ? nil : list.keys.failed
    } catch ControlClientError.refused(404, "rejected", let message, let hint) {
      throw Failure(.badList, message, hint: hint)
    } catch ControlClientError.refused(404, let code, let message, let hint) {
      let isComing = try client.status().lists.incoming > 0
      if isComing || waited < Self.grace { return nil }
      throw ControlClientError.refused(status: 404, code: code, message: message, hint: hint)
    }
  }
}
