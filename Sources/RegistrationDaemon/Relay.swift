import Synchronization

/// Lets closures that are made before the daemon reach it afterwards.
final class Relay: Sendable {
  private struct Weak {
    weak var daemon: Daemon?
  }

  private let slot = Mutex(Weak())

  var daemon: Daemon? { slot.withLock { $0.daemon } }

  func connect(_ daemon: Daemon) {
    slot.withLock { $0.daemon = daemon }
  }
}
