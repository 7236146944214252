// The server's clock against ours, from the Date of each reply. Date has whole seconds and arrives late, but many replies
// together pin the offset down to a few milliseconds: each says that the second `date` was running at some moment between
// sending and receiving.

struct ServerClock: Hashable, Sendable {
  /// Server seconds since 1970 minus monotonic seconds.
  private(set) var offset: Interval?

  mutating func observe(date: Seconds, sentAt: Seconds, receivedAt: Seconds) {
    let seen = Interval(low: date - receivedAt, high: date + 1 - sentAt)
    // A contradiction means that a clock was set or drifted: what was known no longer counts.
    offset = offset.flatMap { $0.intersection(seen) } ?? seen
  }

  /// The monotonic instant of a server time.
  func instant(ofEpoch epoch: Seconds) -> Interval? {
    offset.map { Interval(low: epoch - $0.high, high: epoch - $0.low) }
  }

  /// The server's time at a monotonic instant, to the middle of what is known.
  func epoch(at instant: Seconds) -> Seconds? {
    offset.map { $0.middle + instant }
  }
}
