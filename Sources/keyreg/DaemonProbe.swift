import ControlAPI
import Dispatch
import Glibc

/// Looks after a call that may rightly take long, a stream or a command over millions of keys: as long as it lasts, the
/// daemon is asked now and then for a sign of life, and the command ends when there is none.
///
/// The call itself blocks its thread and may be waiting for a reader of standard output, so it cannot tell.
struct DaemonProbe {
  /// Seconds between two questions. Each waits for its answer as long as every short call does.
  private static let interval = 5

  static func during<Value>(_ client: ControlClient, _ call: () throws -> Value) rethrows -> Value {
    let queue = DispatchQueue(label: "keyreg.probe")
    let timer = DispatchSource.makeTimerSource(queue: queue)
    timer.schedule(deadline: .now(), repeating: .seconds(interval))
    timer.setEventHandler { @Sendable in
      do {
        _ = try client.health()
      } catch ControlClientError.timedOut {
        let failure = Failure(ControlClientError.timedOut)
        StandardError.write(failure.text)
        exit(failure.exit.rawValue)
      } catch {
        // The call itself meets it too, and says it better.
      }
    }
    timer.activate()
    defer { timer.cancel() }
    return try call()
  }
}
