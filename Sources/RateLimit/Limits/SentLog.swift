// When our own counted requests of the last period were answered. At most `limit` entries in any period is a rule that
// every kind of limit accepts: fixed windows, sliding windows and buckets all grant at least that.

struct SentLog: Sendable {
  private var instants: [Seconds] = []
  private var first = 0

  /// Maximum entries: a larger limit has no effect.
  private static let capacity = 100_000

  var count: Int { instants.count - first }

  /// The newest entry.
  var last: Seconds? { count > 0 ? instants.last : nil }

  /// Entries after an instant.
  func count(after instant: Seconds) -> Int { instants.count - index(after: instant) }

  /// The oldest entry after an instant, or one that is `skipped` entries later.
  func first(after instant: Seconds, skipping skipped: Int = 0) -> Seconds? {
    let index = index(after: instant) + skipped
    return index < instants.count ? instants[index] : nil
  }

  private func index(after instant: Seconds) -> Int {
    var (low, high) = (first, instants.count)
    while low < high {
      let middle = (low + high) / 2
      if instants[middle] <= instant { low = middle + 1 } else { high = middle }
    }
    return low
  }

  mutating func append(_ instant: Seconds) {
    instants.append(instant)
    if count > Self.capacity { first += 1 }
  }

  /// Drops what is older than `instant`, that instant included.
  mutating func drop(through instant: Seconds) {
    while first < instants.count && instants[first] <= instant { first += 1 }
    compact()
  }

  private mutating func compact() {
    guard first > 64, first * 2 > instants.count else { return }
    instants.removeFirst(first)
    first = 0
  }
}
