import Glibc
package import RateLimit

/// The clock for waits and pacing: seconds since boot, including sleep, so that the API's windows are where they should
/// be after a suspended machine wakes. It cannot be set.
package enum MonotonicClock {
  package static func now() -> Seconds {
    var time = timespec()
    clock_gettime(CLOCK_BOOTTIME, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
  }
}
