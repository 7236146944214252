import Foundation
import Glibc
package import Registration

/// What the clocks of a machine say at one moment.
package struct ClockReading: Codable, Hashable, Sendable {
  /// The kernel's name for the time since it was started: another after each boot.
  package var boot: String
  /// Milliseconds since the boot, suspended ones too. Nobody can set it.
  package var sinceBoot: Int64
  /// The wall clock, which anybody with the right can set, and a machine without a battery forgets.
  package var wall: Timestamp

  package init(boot: String, sinceBoot: Int64, wall: Timestamp) {
    self.boot = boot
    self.sinceBoot = sinceBoot
    self.wall = wall
  }

  package static func now() -> ClockReading {
    var time = timespec()
    clock_gettime(CLOCK_BOOTTIME, &time)
    let milliseconds = Int64(time.tv_sec) * 1_000 + Int64(time.tv_nsec) / 1_000_000
    return ClockReading(boot: bootID, sinceBoot: milliseconds, wall: .now())
  }

  private static let bootID: String = {
    let data = FileManager.default.contents(atPath: "/proc/sys/kernel/random/boot_id") ?? Data()
    // Where the kernel does not say, each start counts as a boot: less time has passed for sure.
    return data.isEmpty
      ? UUID().uuidString : String(decoding: data, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
  }()
}
