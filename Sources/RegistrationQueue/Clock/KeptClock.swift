package import Registration

/// The clock of a queue, and when its state was last stored in the queue.
struct KeptClock: Sendable {
  /// Its name in `memory`.
  static let name = "clock"
  /// Milliseconds after which the next transaction stores it again: the maximum time lost by a kill followed by a boot
  /// with a wrong wall clock.
  private static let interval: Int64 = 60_000

  private(set) var clock: SureClock
  private let read: @Sendable () -> ClockReading
  private var keptAt: Timestamp?
  /// By how many milliseconds the wall clock was set since the last call that asked.
  private var jump: Int64 = 0

  init(_ kept: SureClock?, read: @escaping @Sendable () -> ClockReading) {
    self.read = read
    clock = kept ?? SureClock(read())
    _ = advance()
    // What happened to the wall clock before the start is not reported.
    jump = 0
  }

  /// The present, on the wall clock and on the clock that cannot be set.
  mutating func advance() -> (wall: Timestamp, sure: Timestamp) {
    let reading = read()
    let jump = clock.advance(to: reading)
    if jump != 0 {
      self.jump = jump
      keptAt = nil
    }
    return (reading.wall, clock.now)
  }

  mutating func takeJump() -> Int64 {
    defer { jump = 0 }
    return jump
  }

  /// What must be stored now, nil when that can wait.
  var due: SureClock? {
    if let keptAt, clock.now.milliseconds - keptAt.milliseconds < Self.interval { return nil }
    return clock
  }

  /// The next transaction stores it.
  mutating func demand() { keptAt = nil }

  mutating func wasKept(_ clock: SureClock) { keptAt = clock.now }

  /// Whether an hour has passed since it was stored, or the wall clock was set.
  var isOverdue: Bool { keptAt.map { clock.now.milliseconds - $0.milliseconds >= 3_600_000 } ?? true }
}

extension RegistrationQueue {
  /// The present on the clock that cannot be set.
  package var sureTime: Timestamp { clock.withLock { $0.advance().sure } }

  /// How long ago, at least, the wall clock showed `time`. For times that were taken while a daemon was running.
  package func age(of time: Timestamp) -> Duration {
    .milliseconds(
      clock.withLock { clock in
        _ = clock.advance()
        return clock.clock.age(of: time)
      })
  }

  /// Reads the clocks; call it about every second. Returns by how many milliseconds the wall clock was set since the
  /// last call, 0 when it was not.
  package func watchClock() throws -> Int64 {
    let (jump, isOverdue) = clock.withLock { clock in
      _ = clock.advance()
      return (clock.takeJump(), clock.isOverdue)
    }
    if isOverdue { try keepClock() }
    return jump
  }

  /// Every write stores the clock when that is due; this does it now.
  func keepClock() throws {
    clock.withLock { $0.demand() }
    try write("keep the clock") { _, _ in }
  }
}
