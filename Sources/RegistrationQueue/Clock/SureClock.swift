package import Registration

/// Time that has certainly passed, whatever the wall clock is set to.
///
/// Within one boot the kernel counts it. Between two boots it is the difference of the wall clock, but at most a day,
/// and never less than the age of the new boot. It starts at the wall-clock time, so that it looks the same as long as
/// nobody sets the wall clock. Waits and retention use it.
///
/// Files only have wall-clock times. So this clock also remembers how far the wall clock was ahead of it, and when.
/// From that follows how long ago, at least, a file's time was.
package struct SureClock: Codable, Hashable, Sendable {
  /// A period in which the wall clock was not set.
  private struct Stretch: Codable, Hashable, Sendable {
    /// Milliseconds of this clock.
    var from: Int64
    var to: Int64
    /// How far the wall clock was ahead, in milliseconds: it is always slewed a little.
    var least: Int64
    var most: Int64
  }

  /// The present. Milliseconds as in `Timestamp`, but on this clock.
  package private(set) var now: Timestamp
  private var last: ClockReading
  private var stretches: [Stretch]

  /// Maximum time counted between two boots.
  private static let longestGap: Int64 = 24 * 60 * 60 * 1_000
  /// A difference of half a second plus a thousandth of the time is not a jump: time servers slew by up to 500
  /// millionths.
  private static let slack: Int64 = 500
  /// The number of stretches that are kept. If a clock is set more often, files only look younger.
  private static let capacity = 64

  package init(_ reading: ClockReading) {
    now = reading.wall
    last = reading
    stretches = [Stretch(from: now.milliseconds, to: now.milliseconds, least: 0, most: 0)]
  }

  /// Advances to `reading`. Returns by how many milliseconds the wall clock was set meanwhile, 0 when it was not.
  @discardableResult
  package mutating func advance(to reading: ClockReading) -> Int64 {
    let before = now.milliseconds
    let passed = Self.passed(from: last, to: reading)
    now = Timestamp(milliseconds: before.addingClamped(passed))
    last = reading
    let ahead = reading.wall.milliseconds.subtractingClamped(now.milliseconds)
    let newest = stretches.count - 1
    stretches[newest].to = now.milliseconds
    let drift = Self.slack + passed / 1_000
    let (least, most) = (stretches[newest].least, stretches[newest].most)
    if ahead >= least - drift, ahead <= most + drift {
      stretches[newest].least = min(least, ahead)
      stretches[newest].most = max(most, ahead)
      return 0
    }
    // It was set at some time since the last reading.
    stretches.append(Stretch(from: before, to: now.milliseconds, least: ahead, most: ahead))
    if stretches.count > Self.capacity { stretches.removeFirst() }
    return ahead.subtractingClamped(ahead > most ? most : least)
  }

  private static func passed(from last: ClockReading, to reading: ClockReading) -> Int64 {
    if reading.boot == last.boot, reading.sinceBoot >= last.sinceBoot { return reading.sinceBoot - last.sinceBoot }
    let gap = reading.wall.milliseconds.subtractingClamped(last.wall.milliseconds)
    return max(reading.sinceBoot, min(gap, longestGap), 0)
  }

  /// How long ago, at least, the wall clock showed `wall`, in milliseconds. For times that were taken while this clock
  /// was read regularly.
  package func age(of wall: Timestamp) -> Int64 {
    let tolerance = 10 * Self.slack
    var latest: Int64?
    for stretch in stretches {
      let earliest = wall.milliseconds.subtractingClamped(stretch.most)
      let time = wall.milliseconds.subtractingClamped(stretch.least)
      guard earliest <= stretch.to + tolerance, time >= stretch.from - tolerance else { continue }
      latest = max(latest ?? .min, min(time, stretch.to))
    }
    let first = stretches[0]
    // From before the first reading, or from a time without readings.
    let isOlder = wall.milliseconds < first.from.addingClamped(first.least)
    let time = latest ?? (isOlder ? first.from : stretches[stretches.count - 1].from)
    return max(0, now.milliseconds - time)
  }

  /// The stored value may have been edited: without a stretch, or with absurd numbers, it is not used.
  package init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    now = try container.decode(Timestamp.self, forKey: .now)
    last = try container.decode(ClockReading.self, forKey: .last)
    stretches = try container.decode([Stretch].self, forKey: .stretches)
    let bound: Int64 = 1 << 53
    let numbers = stretches.flatMap { [$0.from, $0.to, $0.least, $0.most] } + [now.milliseconds, last.sinceBoot]
    guard !stretches.isEmpty, numbers.allSatisfy({ (-bound...bound).contains($0) }) else {
      throw DecodingError.dataCorruptedError(forKey: .stretches, in: container, debugDescription: "not a clock's state")
    }
  }
}

extension Int64 {
  fileprivate func addingClamped(_ other: Int64) -> Int64 {
    let (sum, overflows) = addingReportingOverflow(other)
    return overflows ? (other > 0 ? .max : .min) : sum
  }

  fileprivate func subtractingClamped(_ other: Int64) -> Int64 {
    let (difference, overflows) = subtractingReportingOverflow(other)
    return overflows ? (other < 0 ? .max : .min) : difference
  }
}
