import Synchronization

/// A value that is expensive to make and may be some seconds old: made again at most every `life` seconds, when
/// somebody asks for it.
final class Cached<Value: Sendable>: Sendable {
  private struct Made {
    var value: Value
    /// Seconds of the monotonic clock.
    var at: Double
  }

  private let life: Double
  private let made = Mutex<Made?>(nil)

  init(life: Double) {
    self.life = life
  }

  func current(_ make: () throws -> Value) rethrows -> Value {
    let now = MonotonicClock.now()
    if let made = made.withLock({ $0 }), now - made.at < life { return made.value }
    let value = try make()
    made.withLock { $0 = Made(value: value, at: MonotonicClock.now()) }
    return value
  }
}
