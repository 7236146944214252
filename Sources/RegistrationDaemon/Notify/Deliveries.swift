import Dispatch
import Logging
import Synchronization

/// One delivery after the other, each tried again if it fails.
final class Deliveries: Sendable {
  /// Those that wait. More are dropped: whoever is not reached for so long is not helped by all of them.
  private static let most = 100
  /// Seconds before each further attempt.
  private static let delays = [2.0, 20.0]

  private let queue: DispatchQueue
  private let name: String
  private let log: Logger
  private let waiting = Mutex(0)
  private let group = DispatchGroup()
  private let stop = DispatchSemaphore(value: 0)
  private let isStopping = Atomic(false)

  init(label: String, name: String, log: Logger) {
    queue = DispatchQueue(label: label)
    self.name = name
    self.log = log
  }

  /// - Parameter deliver: Blocks; returns why it failed, nil when it did not.
  func add(_ deliver: @escaping @Sendable () -> String?) {
    let hasRoom = waiting.withLock { count in
      guard count < Self.most else { return false }
      count += 1
      return true
    }
    guard hasRoom else {
      return log.warning("too many notifications are waiting; one was dropped", metadata: ["by": "\(name)"])
    }
    group.enter()
    queue.async { @Sendable [self] in
      run(deliver)
      waiting.withLock { $0 -= 1 }
      group.leave()
    }
  }

  private func run(_ deliver: () -> String?) {
    var failure = deliver()
    for delay in Self.delays where failure != nil {
      if isStopping.load(ordering: .relaxed) { break }
      _ = stop.wait(timeout: .now() + delay)
      failure = deliver()
    }
    if let failure {
      log.warning("a notification could not be delivered", metadata: ["by": "\(name)", "detail": "\(failure)"])
    }
  }

  /// Waits for what is under way. From now on a delay is cut short, and nothing is tried a third time.
  func finish(by end: DispatchTime) {
    isStopping.store(true, ordering: .relaxed)
    stop.signal()
    _ = group.wait(timeout: end)
  }
}
