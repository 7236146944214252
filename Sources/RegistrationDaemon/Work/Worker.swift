import Dispatch
import Registration
import RegistrationAPI
import RegistrationCore
import Synchronization

/// A request for a worker to send.
struct Assignment: Sendable {
  /// The number of the worker.
  var worker: Int
  var job: Job
  var settings: APISettings
}

/// One connection and the thread that waits on it: a serial queue, which on Linux has a thread at once, and a client
/// that is created again when the settings change.
final class Worker: Sendable {
  /// The most that can be configured.
  static let most = 64

  private struct Line {
    var client: RegistrationClient?
    var settings: APISettings?
  }

  private let queue: DispatchQueue
  private let version: String
  private let line = Mutex(Line())

  init(number: Int, version: String) {
    queue = DispatchQueue(label: "keyreg.worker.\(number)")
    self.version = version
  }

  /// Sends a request, then the one that `next` returns for its reply, and so on until `next` returns nil.
  ///
  /// - Parameter next: Called on the worker's thread.
  func work(on first: Assignment, next: @escaping @Sendable (Exchange, Job) -> Assignment?) {
    queue.async { @Sendable [self] in
      var assignment: Assignment? = first
      while let current = assignment {
        let exchange = line.withLock { line in Self.exchange(current.job.key.id, current.settings, version, &line) }
        assignment = next(exchange, current.job)
      }
    }
  }

  private static func exchange(
    _ id: AppKeyID, _ settings: APISettings, _ version: String, _ line: inout Line
  ) -> Exchange {
    do {
      if line.settings != settings {
        line.client = nil
        line.settings = nil
        line.client = try RegistrationClient(settings, version: version)
        line.settings = settings
      }
    } catch {
      return Exchange(error)
    }
    guard let client = line.client else { return Exchange(unusable: "no connection could be set up") }
    let wallClock = Double(Timestamp.now().milliseconds) / 1_000
    return client.register(id, wallClock: wallClock)
  }
}
