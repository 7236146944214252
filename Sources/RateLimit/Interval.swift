// A value that is only known to lie between two bounds. Window edges and clock offsets are kept so: each reply narrows
// them, and a reply that contradicts is seen at once.

struct Interval: Hashable, Sendable {
  var low: Seconds
  var high: Seconds

  var middle: Seconds { (low + high) / 2 }
  var width: Seconds { high - low }

  func shifted(by distance: Seconds) -> Interval { Interval(low: low + distance, high: high + distance) }

  /// What both allow, nil when they contradict each other.
  func intersection(_ other: Interval) -> Interval? {
    let common = Interval(low: max(low, other.low), high: min(high, other.high))
    return common.low <= common.high ? common : nil
  }
}
