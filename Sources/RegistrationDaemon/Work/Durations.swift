package import RateLimit

/// How long requests took, counted by duration rounded up to two significant digits.
///
/// Percentiles are at most 10 % above the truth, and a bound of two digits cuts the table exactly, so status and metrics
/// need one table only.
///
///     0.31 ms → 0.4 ms    12.3 ms → 13 ms    1.204 s → 1.3 s
package struct Durations: Sendable {
  /// The unit of the counts, in seconds: the shortest duration that is distinguished from zero.
  private static let unit: Seconds = 0.0001
  /// Beyond it, 2.8 hours, everything counts as this long.
  private static let most: Seconds = 9_900

  package private(set) var total: Seconds = 0
  package private(set) var longest: Seconds = 0
  private var counts: [Int] = []

  package init() {}

  package var count: Int { counts.reduce(0, +) }

  package mutating func record(_ seconds: Seconds) {
    let index = Self.index(of: seconds)
    if index >= counts.count { counts += [Int](repeating: 0, count: index + 1 - counts.count) }
    counts[index] += 1
    total += seconds
    longest = max(longest, seconds)
  }

  /// What was recorded after `earlier`, an earlier state of these. The longest is not known then.
  func since(_ earlier: Durations) -> Durations {
    var rest = self
    rest.total -= earlier.total
    for (index, count) in earlier.counts.enumerated() { rest.counts[index] -= count }
    return rest
  }

  /// Seconds within which `share` (0 to 1) of the requests were over; 0 without any.
  package func percentile(_ share: Double) -> Seconds {
    let rank = max(1, Int((share * Double(count)).rounded(.up)))
    var seen = 0
    for (index, count) in counts.enumerated() {
      seen += count
      if seen >= rank { return min(longest, Self.bound(at: index)) }
    }
    return 0
  }

  /// How many were at most as long as each of `bounds` (seconds, ascending, two significant digits) and longer than the
  /// one before it; and last, how many were longer than all.
  package func counts(upTo bounds: [Seconds]) -> [Int] {
    var start = 0
    return (bounds.map { Self.index(of: $0) + 1 } + [counts.count]).map { end in
      defer { start = max(start, end) }
      return start < end ? counts[min(start, counts.count)..<min(end, counts.count)].reduce(0, +) : 0
    }
  }

  /// 0 to 9 for as many units, then 90 for each power of ten.
  private static func index(of seconds: Seconds) -> Int {
    // A product can be a hair above the whole number that it should be.
    var digits = Int((max(0, min(seconds, most)) / unit - 1e-6).rounded(.up))
    var power = 0
    while digits >= 100 {
      digits = (digits + 9) / 10
      power += 1
    }
    return digits + 90 * power
  }

  private static func bound(at index: Int) -> Seconds {
    var bound = Double(index < 10 ? index : (index - 10) % 90 + 10) * unit
    for _ in 0..<max(0, (index - 10) / 90) { bound *= 10 }
    return bound
  }
}
