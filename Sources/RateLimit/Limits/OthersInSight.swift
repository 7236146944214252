// Whether others use a limit whose replies show what is left and nothing else. They do when it falls by more than our own
// requests explain, or when more is missing than we have sent in the whole period. Either may fail to show them: a window
// hides in its return what was taken just before, a log gives back what we used while others take it.

struct OthersInSight: Sendable {
  /// Nobody was seen for two periods.
  private(set) var isNobody = false
  /// A reply since which the count has only fallen, and by no more than ours: when its request was sent, and what it
  /// showed.
  private var from: (sentAt: Seconds, left: Int)
  /// What the last reply showed.
  private var left: Int
  /// When they were last seen, or when the watch began.
  private var seenAt: Seconds

  /// Periods without a sign of others after which nobody is expected.
  private static let watched = 2.0
  /// This many requests that are missing from our log mean nothing: a request may be counted a moment before or after
  /// it is logged.
  private static let noise = 2

  init(left: Int, now: Seconds) {
    self.left = left
    (from, seenAt) = ((now, left), now)
  }

  /// - Parameters:
  ///   - now: What the reply shows to be left.
  ///   - missing: Requests of the last period that are not ours.
  ///   - period: The limit's, in seconds.
  mutating func see(left now: Int, missing: Int, period: Seconds, _ reply: ReceivedReply) {
    // Of ours, no more than these were counted since.
    let ours = reply.log.count(after: from.sentAt) + reply.others.count
    let isSeen = missing > Self.noise || now <= left && from.left - now > ours
    if isSeen { seenAt = reply.now }
    if isSeen || now > left { from = (reply.flight.sentAt, now) }
    left = now
    isNobody = reply.now - seenAt >= Self.watched * period
  }
}
