package import Registration

/// The clock of a queue, and when its state was put into the queue last.
struct KeptClock: Sendable {
  /// Under this name in `memory`.
  static let name = "clock"
  /// Milliseconds after which the next transaction keeps it again: what a kill and a boot with a wrong wall clock lose.
  private static let interval: Int64 = 60_000

  private(set) var clock: SureClock
  private let read: @Sendable () -> ClockReading
  private var keptAt: Timestamp?
  /// By how many milliseconds the wall clock was set since somebody asked.
  private var jump: Int64 = 0

  init(_ kept: SureClock?, read: @escaping @Sendable () -> ClockReading) {
    self.read = read
    clock = kept ?? SureClock(read())
    _ = advance()
    // What happened to the wall clock before the start is nobody's news.
    jump = 0
  }

  /// The present, by the wall clock and in time that has passed for sure.
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

  /// What is to be kept now, nil when that has time.
  var due: SureClock? {
    if let keptAt, clock.now.milliseconds - keptAt.milliseconds < Self.interval { return nil }
    return clock
  }

  /// The next transaction keeps it.
  mutating func demand() { keptAt = nil }

  mutating func wasKept(_ clock: SureClock) { keptAt = clock.now }

  /// Whether an hour has passed since it was kept, or the wall clock was set.
  var isOverdue: Bool { keptAt.map { clock.now.milliseconds - $0.milliseconds >= 3_600_000 } ?? true }
}

extension RegistrationQueue {
  /// The present by the clock that nobody can set.
  package var sureTime: Timestamp { clock.withLock { $0.advance().sure } }

  /// How long ago the wall clock said `time`, at the least. For what got its time while a daemon was at work.
  package func age(of time: Timestamp) -> Duration {
    .milliseconds(
      clock.withLock { clock in
        _ = clock.advance()
        return clock.clock.age(of: time)
      })
  }

  /// Looks at the clocks; to be called every second or so. Returns by how many milliseconds the wall clock was set since
  /// the last call, 0 when it was not.
  package func watchClock() throws -> Int64 {
    let (jump, isOverdue) = clock.withLock { clock in
      _ = clock.advance()
      return (clock.takeJump(), clock.isOverdue)
    }
    if isOverdue { try keepClock() }
    return jump
  }

  /// Every write keeps the clock when that is due; now it is.
  func keepClock() throws {
    clock.withLock { $0.demand() }
    try write("keep the clock") { _, _ in }
  }
}
