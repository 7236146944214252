import RateLimit

/// When the next group of results is committed.
///
/// A commit costs as much processor time as a dozen requests, whatever its size. Results that come one by one are committed
/// at once. In a stream of results, commits are spaced so that groups form; the spacing is far shorter than a request over
/// a network.
struct CommitPace {
  private var last: Seconds = -.infinity

  /// Seconds between two commits of small groups.
  static let spacing: Seconds = 0.003
  /// Results that make a group large enough to be committed at once.
  static let largeGroup = 64

  /// Seconds to wait before `count` results are committed; 0 if they are due.
  func wait(for count: Int, now: Seconds) -> Seconds {
    count >= Self.largeGroup ? 0 : min(Self.spacing, max(0, last + Self.spacing - now))
  }

  mutating func committed(at now: Seconds) { last = now }
}
