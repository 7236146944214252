import ControlAPI
import Glibc
import Registration
import RegistrationDaemon
import Synchronization
import Systemd

/// What is watched.
enum WatchedSubject {
  case everything
  /// The open lists, each with a bar.
  case openLists
  case list(String)
}

/// Where the output goes: drawn over the previous output, or a line of its own.
final class WatchScreen: Sendable {
  /// Seconds between two looks at the history, and minutes of it that are shown.
  private static let historyInterval = 15.0
  private static let minutesShown = 20

  private struct State {
    var lastHistory = -Double.infinity
    var minutes: [Int] = []
    /// Makes what was drawn last again, for the width that the terminal has now.
    var block: (@Sendable (TerminalStyle) -> [String])?
    /// What is said below it until the next status.
    var note: String?
  }

  private let client: ControlClient
  private let subject: WatchedSubject
  private let isJSON: Bool
  private let environment: [String: String]
  /// Neither colour nor redraw with NO_COLOR.
  let redraws: Bool
  private let redraw = Redraw { try StandardOutput.write($0) }
  private let state = Mutex(State())
  private let resizes = Mutex<SignalHandlers?>(nil)

  init(client: ControlClient, subject: WatchedSubject, isJSON: Bool, environment: [String: String]) {
    self.client = client
    self.subject = subject
    self.isJSON = isJSON
    self.environment = environment
    redraws = !isJSON && TerminalStyle.mayColour(isTerminal: StandardOutput.isTerminal, environment: environment)
    guard redraws else { return }
    let handlers = SignalHandlers([
      // A terminal that has gone away shows with the next status.
      SIGWINCH: { @Sendable [weak self] in try? self?.draw() }
    ])
    resizes.withLock { $0 = handlers }
  }

  func show(_ status: StatusDocument) throws {
    guard redraws else { return try StandardOutput.line(try line(status)) }
    let block = try block(status)
    state.withLock { ($0.block, $0.note) = (block, nil) }
    try draw()
  }

  /// Says something about the daemon: below what was drawn last, or on standard error.
  func tell(_ text: String) throws {
    guard redraws else { return StandardError.write("keyreg: \(text)\n") }
    state.withLock { $0.note = text }
    try draw()
  }

  private func draw() throws {
    guard let (block, note) = state.withLock({ state in state.block.map { ($0, state.note) } }) else { return }
    let style = TerminalStyle.current(environment: environment)
    let lines = block(style) + (note.map { style.fold("keyreg: " + $0, indent: 4) } ?? [])
    try redraw.draw(lines, columns: style.columns ?? 80)
  }

  private func line(_ status: StatusDocument) throws -> String {
    switch subject {
    case .list(let name):
      let list = try client.list(name)
      return isJSON ? try list.json() : "\(status.now) \(ListView(list: list).line)"
    case .openLists where isJSON:
      return try client.lists(ListQuery(isActive: true)).json()
    case .everything, .openLists:
      return isJSON ? try status.json() : "\(status.now) \(StatusView(status: status).line)"
    }
  }

  private func block(_ status: StatusDocument) throws -> @Sendable (TerminalStyle) -> [String] {
    switch subject {
    case .everything:
      let minutes = try recentMinutes()
      return { style in StatusView(status: status, style: style, minutes: minutes).block }
    case .list(let name):
      let list = try client.list(name)
      return { style in
        let reason = status.reason.map { ": " + style.reason($0, now: status.now) } ?? ""
        return ListView(list: list, style: style).block
          + style.fold(StatusView.label("daemon") + status.state.rawValue + reason, indent: 12, most: 8)
      }
    case .openLists:
      let lists = try client.lists(ListQuery(isActive: true, limit: max(1, StandardOutput.rows - 8))).lists
      return { style in
        let name = min((style.columns ?? 80) / 3, lists.map { ShownText.columns($0.name) }.max() ?? 0)
        let rest = status.lists.active - lists.count
        let view = StatusView(status: status, style: style)
        return [style.cut(view.bar)] + view.why
          + lists.map { ListView(list: $0, style: style).row(name: name) }
          + (rest > 0 ? ["and \(rest.counted("more list"))"] : lists.isEmpty ? ["no lists with open keys"] : [])
          + view.unread
      }
    }
  }

  private func recentMinutes() throws -> [Int] {
    let now = MonotonicClock.now()
    let isDue = state.withLock { state in
      guard now - state.lastHistory >= Self.historyInterval else { return false }
      state.lastHistory = now
      return true
    }
    if isDue {
      let minutes = try RecentMinutes.outcomes(client, count: Self.minutesShown)
      state.withLock { $0.minutes = minutes }
    }
    return state.withLock { $0.minutes }
  }
}

/// The last minutes of the history, for a line of sparks.
enum RecentMinutes {
  /// Keys that got their outcome in each of the last `count` minutes, the oldest first.
  static func outcomes(_ client: ControlClient, count: Int) throws -> [Int] {
    let now = Timestamp.now()
    let minutes = try client.history(since: now.adding(seconds: -60 * Double(count - 1))).minutes
    var outcomes = [Int](repeating: 0, count: count)
    for minute in minutes {
      let age = Int(now.seconds(since: minute.at) / 60)
      if (0..<count).contains(age) { outcomes[count - 1 - age] = minute.registered + minute.failed }
    }
    return outcomes
  }
}
