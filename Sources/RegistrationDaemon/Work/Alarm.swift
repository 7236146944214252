import Dispatch
import Synchronization

/// One Dispatch timer, made once and cancelled once, that can be set from any thread.
///
/// Dispatch's sources are safe to use so, but their Swift type does not say it; the lock does.
final class Alarm: Sendable {
  private let timer: Mutex<any DispatchSourceTimer>

  /// `ring` is called on a queue of the alarm's own.
  init(label: String, ring: @escaping @Sendable () -> Void) {
    timer = Mutex(Self.make(label, ring))
  }

  private static func make(_ label: String, _ ring: @escaping @Sendable () -> Void) -> sending any DispatchSourceTimer {
    let timer = DispatchSource.makeTimerSource(flags: .strict, queue: DispatchQueue(label: label))
    timer.setEventHandler { @Sendable in ring() }
    timer.schedule(deadline: .distantFuture)
    timer.activate()
    return timer
  }

  /// Rings once, `seconds` from now, in place of whatever was set before.
  func ring(in seconds: Double) {
    timer.withLock { $0.schedule(deadline: .now() + seconds) }
  }

  /// Rings at once and then every `seconds`.
  func ring(every seconds: Double) {
    timer.withLock { $0.schedule(deadline: .now(), repeating: seconds, leeway: .milliseconds(50)) }
  }

  func cancel() {
    timer.withLock { $0.cancel() }
  }
}
