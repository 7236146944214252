// Whether replies repeat what one of them said. One reply may be odd: a proxy wrote it, or it is about something else.
// What it said goes stale when requests pass and their replies do not mention it. Then the search for an unreported
// limit, which needs no headers, takes over again. This applies only to a single limit: of several, each reply
// mentions one.
//
// A worked example, a server without a limit where only reply 60 says that one request is left: one request is spent, the
// next looks half a second later and passes though nothing should be left, so more follow one by one, until the sixth reply
// without a count ends the belief.

struct Repetition: Sendable {
  /// Replies that mentioned the limit.
  private var told = 0
  /// Requests that passed without a word of it.
  private var silent = 0
  /// How many may pass in silence for each reply that mentioned it.
  private var patience = 0
  /// Refusals that told of it, and of time, with a request that passed between them.
  private var confirmations = 0
  private var hasPassed = true
  /// Replies in a row that had a count.
  private var inARow = 0
  /// Limits that were given up.
  private var givenUp = 0

  /// The patience with a limit that one reply told in full, and with one of which a part was guessed. It doubles with
  /// each limit that was given up: some servers tell seldom.
  private static let patienceFull = 20
  private static let patienceGuessed = 5
  /// The same with a limit that a refusal told: the first request that passes speaks against it.
  private static let patienceRefused = 1
  /// After a limit was given up, counts without a time are believed once this many replies in a row have one; twice as
  /// many after each further one.
  private static let rowAgain = 8
  private static let doublings = 6
  /// After so many confirmations the server means it.
  private static let confirmed = 2

  private var factor: Int { 1 << min(givenUp, Self.doublings) }

  /// Whether the limit should be given up.
  var isStale: Bool { confirmations < Self.confirmed && silent > patience * told }

  /// Whether a count that comes without a time tells of a limit. On a refusal it says no more than the refusal itself.
  func believesCount(_ reply: ReceivedReply) -> Bool {
    !reply.isThrottled && (givenUp == 0 || inARow * 2 >= Self.rowAgain * factor)
  }

  /// Any reply.
  mutating func note(_ reading: RateLimitReading?, _ reply: ReceivedReply) {
    guard reading?.remaining == nil else {
      told += 1
      inARow += 1
      if reply.isThrottled, reading?.isTimed == true { confirm() }
      return
    }
    guard reply.kind == .answered else { return }
    silent += 1
    inARow = 0
    hasPassed = true
  }

  private mutating func confirm() {
    if hasPassed { confirmations += 1 }
    hasPassed = false
  }

  /// A reply told of a new limit.
  mutating func began(_ reading: RateLimitReading, _ reply: ReceivedReply) {
    (told, silent) = (1, 0)
    let isFull = reading.limit != nil && reading.isTimed
    patience = (reply.isThrottled ? Self.patienceRefused : isFull ? Self.patienceFull : Self.patienceGuessed) * factor
    if reply.isThrottled && reading.isTimed { confirm() }
  }

  mutating func gaveUp() {
    givenUp += 1
    inARow = 0
  }
}
