import Dispatch
package import Registration
package import RegistrationAPI
import Synchronization

/// One connection and the thread that waits on it: a serial queue, which on Linux has a thread at once, and a client
/// that is made anew when the settings change.
package final class Worker: Sendable {
  private struct Line {
    var client: RegistrationClient?
    var settings: APISettings?
  }

  private let queue: DispatchQueue
  private let version: String
  private let line = Mutex(Line())

  package init(number: Int, version: String) {
    queue = DispatchQueue(label: "keyreg.worker.\(number)")
    self.version = version
  }

  /// Sends one request and calls `done` on the worker's thread.
  package func send(
    _ id: AppKeyID, with settings: APISettings, done: @escaping @Sendable (Exchange) -> Void
  ) {
    queue.async { @Sendable [self] in
      let exchange = line.withLock { line in Self.exchange(id, settings, version, &line) }
      done(exchange)
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
