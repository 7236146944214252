// The server's clock relative to ours, from the Date of each reply. Date has whole seconds and arrives late, but many
// replies together give the offset to a few milliseconds: each says that the second `date` was current at some moment
// between sending and receiving.

struct ServerClock: Hashable, Sendable {
  /// Server seconds since 1970 minus monotonic seconds.
  private(set) var offset: Interval?

  mutating func observe(date: Seconds, sentAt: Seconds, receivedAt: Seconds) {
    let seen = Interval(low: date - receivedAt, high: date + 1 - sentAt)
    // A contradiction means that a clock was set or has drifted: start again.
    offset = offset.flatMap { $0.intersection(seen) } ?? seen
  }

  /// The monotonic instant of a server time.
  func instant(ofEpoch epoch: Seconds) -> Interval? {
    offset.map { Interval(low: epoch - $0.high, high: epoch - $0.low) }
  }

  /// The server's time at a monotonic instant: the middle of the known interval.
  func epoch(at instant: Seconds) -> Seconds? {
    offset.map { $0.middle + instant }
  }
}

/// A value that is only known to lie between two bounds, such as a window edge or a clock offset. Each reply narrows
/// it, and a reply that contradicts it is noticed at once.
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
