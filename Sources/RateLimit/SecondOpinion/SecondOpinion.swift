// What is believed of a reply. One may be odd: a proxy wrote it, or it is about something else. So what contradicts many
// earlier replies is set aside until a second one says so too. That costs little. A limit that was really changed is
// believed one reply later, and a server that means an unlikely wait refuses once more.
//
// A worked example, 100 in 10 s: the 30th reply says that 100 are granted in an hour and none is left. 29 replies named a
// period of 10 s, so it counts as a reply that says nothing, and the next request waits for those in flight. If another
// reply names an hour, too, it is believed. If the next one names 10 s, nothing has changed.

struct SecondOpinion: Sendable {
  private var terms: KnownTerms
  private var counts = LikelyCounts()
  private var waits = LikelyWaits()
  /// Something was set aside, and no reply has come since: until then requests go one by one.
  private(set) var isAwaited = false

  /// - Parameter remembered: What an earlier run knew counts as told by many.
  init(remembered: [LearnedLimits.Limit]) { terms = KnownTerms(remembered) }

  /// What of a reading is believed; its Date always is.
  ///
  /// - Parameters:
  ///   - wait: Seconds after which the limits that are known would let a request pass, nil if none is known.
  ///   - period: The longest of those limits, in seconds.
  mutating func of(_ reading: RateLimitReading?, _ reply: ReceivedReply, wait: Seconds?, period: Seconds)
    -> RateLimitReading?
  {
    isAwaited = false
    guard var reading, reply.kind == .answered || reply.isThrottled else {
      return reading
    }
    if reply.kind == .answered { waits.passed() }
    let isLikely =
      terms.areLikely(reading, isThrottled: reply.isThrottled)
      && counts.areLikely(reading, reply, period: period)
    guard isLikely else {
      isAwaited = true
      return RateLimitReading(date: reading.date)
    }
    if reply.isThrottled, let asked = reading.retryAfter,
      !waits.isLikely(asked, expected: wait)
    {
      reading.retryAfter = nil
    }
    return reading
  }
}
