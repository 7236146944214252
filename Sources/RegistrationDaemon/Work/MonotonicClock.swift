import Glibc
package import RateLimit

/// The clock that waiting and pacing go by: seconds since boot, sleep included, so that after a suspended machine wakes
/// the windows of the API are where they should be. Nobody can set it.
package enum MonotonicClock {
  package static func now() -> Seconds {
    var time = timespec()
    clock_gettime(CLOCK_BOOTTIME, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
  }
}
