import ControlAPI
import Glibc
import RegistrationDaemon

/// Shows each change that the daemon reports, or a line a second where nothing is redrawn, across its restarts, until it is
/// interrupted.
struct StatusWatch {
  /// How long to wait for a stopped daemon to return, in seconds.
  private static let patience = 60.0
  /// Microseconds between two tries to reach it.
  private static let retryInterval: UInt32 = 500_000
  /// Microseconds between two lines.
  private static let lineInterval: UInt32 = 1_000_000

  let client: ControlClient
  let subject: WatchedSubject
  let isJSON: Bool
  let environment: [String: String]

  func run() throws {
    let screen = WatchScreen(client: client, subject: subject, isJSON: isJSON, environment: environment)
    while true {
      try screen.redraws ? follow(screen) : printLines(screen)
      try screen.tell("the daemon has stopped; waiting \(Int(Self.patience)) s for it to come back")
      try waitForDaemon()
      try screen.tell("the daemon is back")
    }
  }

  /// Returns when the stream ends after at least one status: the daemon has gone away.
  private func follow(_ screen: WatchScreen) throws {
    var hasBegun = false
    var failure: (any Error)?
    do {
      try DaemonProbe.during(client) {
        try client.events { status in
          do {
            try screen.show(status)
            hasBegun = true
            return true
          } catch {
            failure = error
            return false
          }
        }
      }
    } catch let error as ControlClientError {
      // A daemon that is killed cuts its answer short.
      guard hasBegun else { throw error }
    }
    switch failure {
    // A daemon that is killed does not say more about a list, either.
    case let error as ControlClientError where hasBegun && !error.isRefusal: break
    case let error?: throw error
    case nil: break
    }
  }

  /// Returns when the daemon has gone away after at least one line.
  private func printLines(_ screen: WatchScreen) throws {
    var hasBegun = false
    while true {
      do {
        try screen.show(try client.status())
      } catch let error as ControlClientError {
        guard hasBegun, error.isOfMissingDaemon else { throw error }
        return
      }
      hasBegun = true
      usleep(Self.lineInterval)
    }
  }

  private func waitForDaemon() throws {
    let deadline = MonotonicClock.now() + Self.patience
    while true {
      do {
        _ = try client.health()
        return
      } catch let error as ControlClientError {
        guard MonotonicClock.now() < deadline else { throw error }
      }
      usleep(Self.retryInterval)
    }
  }
}

extension ControlClientError {
  fileprivate var isRefusal: Bool {
    if case .refused = self { true } else { false }
  }

  /// A daemon that answered before and now fails like this was stopped or killed, and may come back.
  var isOfMissingDaemon: Bool { !isRefusal && self != .timedOut }
}
