import ControlAPI
import Dispatch
import Glibc

/// Watches over a call that may take long, a stream or a command over millions of keys. While it lasts, the daemon is
/// asked for a sign of life now and then, and without one the command ends.
///
/// The call itself blocks its thread and may be waiting for a reader of standard output, so it cannot do this.
struct DaemonProbe {
  /// Seconds between two probes. Each waits for its answer as long as any short call.
  private static let interval = 5

  /// - Parameter file: Removed before the command ends without a sign of life.
  static func during<Value>(
    _ client: ControlClient, removing file: String? = nil, _ call: () throws -> Value
  ) rethrows -> Value {
    let queue = DispatchQueue(label: "keyreg.probe")
    let timer = DispatchSource.makeTimerSource(queue: queue)
    timer.schedule(deadline: .now(), repeating: .seconds(interval))
    timer.setEventHandler { @Sendable in
      do {
        _ = try client.health()
      } catch ControlClientError.timedOut {
        let failure = Failure(ControlClientError.timedOut)
        if let file { unlink(file) }
        StandardError.write(failure.text)
        exit(failure.exit.rawValue)
      } catch {
        // The call itself gets this error too, and reports it better.
      }
    }
    timer.activate()
    defer { timer.cancel() }
    return try call()
  }
}
