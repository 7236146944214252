// How often systemd expects a sign of life (WatchdogSec=, sd_watchdog_enabled(3)).

import Glibc

/// The time after which systemd considers a silent service dead.
package struct WatchdogInterval: Hashable, Sendable {
  /// The limit itself. Always above zero.
  package let limit: Duration

  /// How often to send `WATCHDOG=1`: half the limit, as sd_watchdog_enabled(3) recommends.
  package var period: Duration { limit / 2 }

  /// Reads `$WATCHDOG_USEC` and `$WATCHDOG_PID`. Nil unless the first is a number of microseconds above zero, and when
  /// the second names a process other than `processID`; without it, this process is meant.
  package init?(microseconds: String?, forProcess pid: String?, processID: Int32 = getpid()) {
    guard let microseconds, let count = Int64(microseconds), count > 0 else { return nil }
    if let pid, Int32(pid) != processID { return nil }
    limit = .microseconds(count)
  }

  /// The interval in the environment, nil without one. The variables are unset, so that no child thinks it is watched;
  /// call this before other threads read the environment.
  package static func takingEnvironment() -> WatchdogInterval? {
    WatchdogInterval(
      microseconds: ServiceVariable.take("WATCHDOG_USEC"), forProcess: ServiceVariable.take("WATCHDOG_PID"))
  }
}
