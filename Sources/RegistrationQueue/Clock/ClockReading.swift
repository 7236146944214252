import Foundation
import Glibc
package import Registration

/// What the clocks of a machine say at one moment.
package struct ClockReading: Codable, Hashable, Sendable {
  /// The kernel's id of this boot: different after each boot.
  package var boot: String
  /// Milliseconds since the boot, including suspended time. It cannot be set.
  package var sinceBoot: Int64
  /// The wall clock, which can be set, and which a machine without a battery forgets.
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
    // If the kernel does not say, each start counts as a boot: then less time has certainly passed.
    return data.isEmpty
      ? UUID().uuidString : String(decoding: data, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
  }()
}
