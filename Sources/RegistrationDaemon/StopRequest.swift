import Dispatch
import Synchronization

/// The request to stop the daemon, with its reason. It exists before the parts that may make it.
final class StopRequest: Sendable {
  private let ending = Mutex<Daemon.Ending?>(nil)
  private let made = DispatchSemaphore(value: 0)

  /// The first reason counts.
  func make(_ ending: Daemon.Ending) {
    let isFirst = self.ending.withLock { first in
      defer { first = first ?? ending }
      return first == nil
    }
    if isFirst { made.signal() }
  }

  /// Blocks until a stop is requested. For the one thread that runs the daemon.
  func wait() -> Daemon.Ending {
    made.wait()
    return ending.withLock { $0 } ?? .stopped
  }
}
