// Whether a count is plausible. Between two replies in quick succession, other clients hardly use up both a large part
// of the limit and nearly all that was left. Nor does a reply show far more left than both the limit and every earlier
// count.

struct LikelyCounts: Sendable {
  private struct Look: Hashable {
    var left: Int
    var at: Seconds
    var sequence: UInt64
    /// When the window ends, as the reply said.
    var end: Seconds?

    func isOfSameWindow(as other: Look) -> Bool {
      guard let end, let other = other.end else { return end == other.end }
      return abs(end - other) <= LikelyCounts.sameEnd
    }
  }

  private var last: Look?
  private var lastName: String?
  private var most = 0
  /// Whether the last one was set aside.
  private var isDoubted = false

  /// A drop is doubted if no more than this share of the limit is left, …
  private static let little = 0.1
  /// … and more than this share of it, and these requests, have gone without an explanation, …
  private static let much = 0.4
  private static let muchRequests = 3
  /// … within this share of the period, and a minimum in seconds.
  private static let close = 0.01
  private static let closeSeconds: Seconds = 0.5
  /// Seconds by which the ends of the same window may differ: each is a whole number of seconds from now.
  private static let sameEnd: Seconds = 1.5
  /// The factor by which a count may exceed the limit and every earlier count.
  private static let more = 1.5

  /// - Parameter period: The limit's, in seconds.
  mutating func areLikely(_ reading: RateLimitReading, _ reply: ReceivedReply, period: Seconds) -> Bool {
    guard let left = reading.remaining, !reply.isThrottled else { return true }
    if reading.name != lastName { (last, lastName) = (nil, reading.name) }
    let limit = Double(reading.limit ?? most)
    let look = Look(
      left: left, at: reply.now, sequence: reply.flight.sequence, end: reading.reset.map { reply.now + $0 })
    if !isDoubted, isSunk(look, limit, inFlight: reply.others.count, period: period) || isRaised(left, limit) {
      isDoubted = true
      return false
    }
    isDoubted = false
    most = max(most, left)
    if (last?.sequence ?? 0) <= look.sequence { last = look }
    return true
  }

  private func isSunk(_ look: Look, _ limit: Double, inFlight: Int, period: Seconds) -> Bool {
    guard let last, look.isOfSameWindow(as: last), Double(look.left) <= Self.little * limit,
      look.at - last.at <= max(Self.closeSeconds, Self.close * period)
    else { return false }
    let ours = Int(clamping: Double(look.sequence) - Double(last.sequence)) + inFlight
    let gone = last.left - look.left - max(0, ours)
    return gone > Self.muchRequests && Double(gone) > Self.much * limit
  }

  private func isRaised(_ left: Int, _ limit: Double) -> Bool {
    most > 0 && Double(left) > Self.more * max(limit, Double(most))
  }
}
