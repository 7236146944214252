import Synchronization
import Systemd

/// When the parts that everything depends on last responded.
final class Heartbeat: Sendable {
  private let notifier: ServiceNotifier
  private let last = Mutex(MonotonicClock.now())

  init(notifier: ServiceNotifier) {
    self.notifier = notifier
  }

  /// The recorder, the reader of keys and the pacer have all responded since the last beat.
  func beat() {
    last.withLock { $0 = MonotonicClock.now() }
    notifier.watchdog()
  }

  /// Seconds since the last beat.
  var age: Double { MonotonicClock.now() - last.withLock { $0 } }
}
