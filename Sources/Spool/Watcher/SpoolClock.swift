import Glibc

/// The clocks by which files are complete. Passed in, so that tests can let hours pass.
package struct SpoolClock: Sendable {
  /// The time since one fixed moment. It cannot be set.
  var monotonic: @Sendable () -> Duration
  /// The wall clock, in nanoseconds since 1970.
  var wall: @Sendable () -> Int64

  package static let system = SpoolClock(
    monotonic: { read(CLOCK_MONOTONIC) },
    wall: {
      let time = read(CLOCK_REALTIME).components
      return time.seconds * 1_000_000_000 + time.attoseconds / 1_000_000_000
    })

  private static func read(_ clock: clockid_t) -> Duration {
    var time = timespec()
    clock_gettime(clock, &time)
    return .seconds(time.tv_sec) + .nanoseconds(time.tv_nsec)
  }
}
