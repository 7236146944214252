import Dispatch
import Synchronization

/// One Dispatch timer, created once and cancelled once, that can be set from any thread.
///
/// Dispatch sources are thread-safe, but their Swift type does not say so; the lock does.
final class Alarm: Sendable {
  private let timer: Mutex<any DispatchSourceTimer>

  /// `ring` is called on the alarm's own dispatch queue, with the alarm.
  init(label: String, ring: @escaping @Sendable (Alarm) -> Void) {
    timer = Mutex(Self.make(label))
    timer.withLock { timer in
      timer.setEventHandler { @Sendable [weak self] in
        if let self { ring(self) }
      }
      timer.activate()
    }
  }

  private static func make(_ label: String) -> sending any DispatchSourceTimer {
    let timer = DispatchSource.makeTimerSource(flags: .strict, queue: DispatchQueue(label: label))
    timer.schedule(deadline: .distantFuture)
    return timer
  }

  /// Rings once, `seconds` from now, instead of what was set before.
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
