import ArgumentParser
import ControlAPI
import Foundation
import Glibc
import Registration
import RegistrationDaemon

/// Blocks until keys have their outcome, across a restart of the daemon.
struct StatusWait {
  let client: ControlClient
  let list: String?
  let timeout: String?
  /// Whether progress is shown while waiting.
  let isShown: Bool
  /// Whether the final document is printed.
  let isJSON: Bool

  /// How long a list may be unknown, in seconds: it may just have been dropped.
  private static let grace = 3.0
  /// How long to wait for a stopped daemon to return, in seconds: twice the unit's RestartSec.
  private static let patience = 10.0

  func run() throws {
    let start = MonotonicClock.now()
    let deadline = timeout.flatMap(DurationText.milliseconds).map { start + Double($0) / 1_000 }
    let redraw = Redraw { StandardError.write($0) }
    var answered: Double?
    while true {
      var unregistered: Int?
      do {
        unregistered = try list.map { try outcome(of: $0, waited: MonotonicClock.now() - start) } ?? outcomeOfAll()
        answered = MonotonicClock.now()
      } catch let error as ControlClientError where error.isOfMissingDaemon {
        guard let answered, MonotonicClock.now() < answered + Self.patience else { throw error }
      }
      if let unregistered {
        if isJSON { try StandardOutput.line(try list.map { try client.list($0).json() } ?? client.status().json()) }
        if unregistered > 0 { throw ExitCode(Exit.someFailed.rawValue) }
        return
      }
      if isShown, StandardError.isTerminal { try show(on: redraw) }
      if let deadline, MonotonicClock.now() >= deadline {
        throw Failure(
          .tryAgain, "not done within \(timeout ?? "")", hint: "keyreg status shows what the daemon is waiting for")
      }
      usleep(200_000)
    }
  }

  private func show(on redraw: Redraw) throws {
    // Whether the daemon still answers is seen by the next question.
    guard let status = try? client.status() else { return }
    let environment = ProcessInfo.processInfo.environment
    let style = TerminalStyle(
      isUnicode: TerminalStyle.isUnicode(environment), columns: StandardError.columns)
    try redraw.draw(StatusView(status: status, style: style).block, columns: StandardError.columns)
  }

  /// How many keys failed or were cancelled, nil while some are open.
  private func outcomeOfAll() throws -> Int? {
    let status = try client.status()
    let keys = status.keys
    let lists = status.lists
    // The caller probably wants to read the results next.
    let toRead = lists.incoming + (lists.unreadable ?? 0)
    let isOpen = lists.active + toRead + lists.finishing + keys.pending + keys.inFlight + keys.retrying > 0
    return isOpen ? nil : keys.failed + keys.cancelled
  }

  private func outcome(of name: String, waited: Double) throws -> Int? {
    do {
      let list = try client.list(name)
      return list.results == nil ? nil : list.keys.failed + list.keys.cancelled
    } catch ControlClientError.refused(404, "rejected", let message, let hint) {
      throw Failure(.badList, message, hint: hint)
    } catch ControlClientError.refused(404, "incoming", _, _) {
      return nil
    } catch ControlClientError.refused(404, _, let message, let hint) {
      if waited < Self.grace { return nil }
      throw Failure(.noSuchFile, message, hint: hint ?? ListHint.nearest(to: name, client))
    }
  }
}

/// A hint for an unknown list name.
enum ListHint {
  /// Lists that are looked at.
  private static let most = 10

  /// Runs `body`, and adds the hint when the daemon does not know the list.
  static func adding<Value>(to name: String?, _ client: ControlClient, _ body: () throws -> Value) throws -> Value {
    do {
      return try body()
    } catch ControlClientError.refused(404, _, let message, let hint) {
      throw Failure(.noSuchFile, message, hint: hint ?? name.map { nearest(to: $0, client) })
    }
  }

  static func nearest(to name: String, _ client: ControlClient) -> String {
    var names: [String] = []
    var query = ListQuery()
    for _ in 0..<most {
      // The error is shown even without a hint.
      guard let page = try? client.lists(query) else { break }
      names += page.lists.map(\.name)
      guard let next = page.next else { break }
      query.after = next
    }
    guard let word = Nearest.word(to: name, in: names) else { return "keyreg lists shows all lists" }
    return "did you mean “\(PrintableText.escape(word))”?"
  }
}
