import Synchronization

/// A value that is dear to make and may be some seconds old: made anew at most every `life` seconds, and forgotten by the
/// next who finds it older.
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
