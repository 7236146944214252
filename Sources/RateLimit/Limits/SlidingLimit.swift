// A limit counted over the last `period` at every moment, described by headers. Reset is the expiry of the oldest
// request, so the end moves with every reply. Our own log knows better than any header when a slot becomes free.

struct SlidingLimit: LimitModel {
  private(set) var allowance: Allowance
  private var others: UseByOthers
  private var inSight: OthersInSight
  private var readBy: UInt64 = 0
  /// What the replies say is left at least, including what requests in flight will take.
  private(set) var remaining: Int
  private var readAt: Seconds
  /// When the oldest of our requests that counted then leaves the log: before that, more is not expected.
  private var moreAt: Seconds = -.infinity
  /// It refused although the log had room.
  private var isDoubtful = false
  /// How fast the count is assumed to have grown since it was read, in multiples of the even rate. Assuming too much
  /// leads to refusals: the period may be a guess.
  private var trusted = Self.trustedFirst
  /// How often the server had about as much left as the log said after requests had expired.
  private var agreements = 0
  private var agreedAt: Seconds = -.infinity
  private var refusals = 0
  private var refusedAt: Seconds = -.infinity
  /// Set when no reply named the period: what is shown to be left counts for more than our own log.
  private var doubts: LearnedPeriodDoubts?
  /// Replies show what is left and nothing else.
  private let isShown: Bool
  private var reserve: PacerSettings.Reserve

  var granted: Allowance? { allowance }
  var source: LimitStanding.Source { .headers }
  var yieldsToRefill: Bool { true }
  private var withheld: Int {
    isShown && !inSight.isNobody ? reserve.withheldUnseen(of: allowance.count) : reserve.withheld(of: allowance.count)
  }
  /// Whether it is spread so that others find room, and are seen, although the operator named no share.
  private var isSpread: Bool { isShown && reserve.withheldUnseen(of: allowance.count) > 0 }

  /// Multiples of the even rate at which the count is assumed to grow: at first, the factors of a refusal and of a request
  /// that passes without a count, and the minimum.
  private static let trustedFirst = 0.4  // T13
  private static let trustedKept = 0.5  // T13
  private static let trustGained = 1.2
  private static let trustedAtLeast = 0.05
  /// More than this share of the limit, these tokens, and what is granted in these seconds is more than stale counts and
  /// neighbours can explain.
  private static let plentiful = 0.1
  private static let plentifulTokens = 2.0
  private static let plentifulFor: Seconds = 2
  /// Seconds to wait after a slot expires, and added so that it is certainly free on waking.
  private static let settle: Seconds = 0.01
  private static let hair: Seconds = 0.001
  /// Shortest waits, in seconds, while the server should have room and while the log has none.
  private static let shortestWait: Seconds = 0.005
  private static let shortestExpiry: Seconds = 0.01
  /// The share of the period after which to check again whether others left room.
  private static let lookAgain = 0.1

  init(
    allowance: Allowance, remaining: Int, isLearned: Bool = false, isShown: Bool = false,
    reserve: PacerSettings.Reserve, now: Seconds
  ) {
    self.isShown = isShown
    doubts = isLearned ? LearnedPeriodDoubts(period: allowance.period, now: now) : nil
    // What is shown to be left is all that is trusted, until the log proves right.
    if isLearned { trusted = 0 }
    self.reserve = reserve
    self.allowance = allowance
    self.remaining = remaining
    readAt = now
    others = UseByOthers(now: now)
    inSight = OthersInSight(left: remaining, now: now)
  }

  func turn(_ ask: Ask) -> Turn {
    let free = remaining - ask.inFlight - withheld
    if isSpread, ask.backlog > free {
      let next = SharedPace.next(ask, allowance, free: free, withheld: withheld)
      if next > ask.now { return .wait(until: next) }
    }
    let horizon = ask.now - allowance.period - Self.settle
    let kept = max(others.requests(at: ask.now, allowance), withheld)
    let said = remaining + Int(clamping: trusted * allowance.rate * max(0, ask.now - readAt)) - ask.inFlight - withheld
    if allowance.count - ask.log.count(after: horizon) - ask.inFlight - kept >= 1 {
      // The log has room. So has the server, unless it counts in another way and returns evenly what came in a rush.
      if said >= 1 || (!isDoubtful && mayLook(ask)) { return .go }
      if ask.inFlight > 0 { return .reply }
      if isSpread, !isDoubtful { return .wait(until: max(ask.now + Self.shortestWait, moreAt)) }
      // No server counts what it counted a whole period ago, whatever its algorithm.
      if ask.now - readAt >= allowance.period { return .go }
      let growth = Double(1 - remaining + withheld) / (trusted * allowance.rate)
      return .wait(until: max(ask.now + Self.shortestWait, readAt + min(growth, allowance.period)))
    }
    // The server has plenty left that the log does not explain: it does not count over a whole period.
    if Double(remaining - ask.inFlight - withheld) > plenty { return .go }
    let expiry = ask.log.first(after: horizon).map { $0 + allowance.period + Self.settle + Self.hair } ?? .infinity
    if let doubts, ask.inFlight == 0, doubts.isDue(lastSentAt: ask.lastSentAt, now: ask.now) { return .probe }
    return .wait(until: max(ask.now + Self.shortestExpiry, min(expiry, ask.now + Self.lookAgain * allowance.period)))
  }

  /// Agreements that prove that the server returns what leaves the log, …
  private static let proofs = 3
  /// … each with this many tokens that should be left, …
  private static let tokensForProof = 3
  /// … of which the server shows at least this share, …
  private static let agreement = 0.8
  /// … and this long after the last, as a share of the period: replies that come together are one. Where the period was
  /// learned, each return is one.
  private static let betweenProofs = 0.02
  private static let betweenLearned = 0.5

  /// Whether to send more than is shown to be left, because it has left the log.
  private func mayLook(_ ask: Ask) -> Bool {
    isSpread ? ask.inFlight == 0 && ask.now >= moreAt : isProven || ask.inFlight == 0
  }

  /// The server was seen to give back what left the log.
  private var isProven: Bool { agreements >= Self.proofs }

  /// Less left may be a mistake.
  private var plenty: Double {
    doubts != nil ? 0 : max(Self.plentifulTokens, Self.plentiful * allowance.tokens, Self.plentifulFor * allowance.rate)
  }

  func available(_ ask: Ask) -> Int {
    let taken = ask.log.count(after: ask.now - allowance.period) + others.requests(at: ask.now, allowance)
    return max(0, allowance.count - taken - ask.inFlight)
  }

  func own(_ ask: Ask) -> Int? { ask.log.count(after: ask.now - allowance.period) + ask.inFlight }

  func resetsIn(_ ask: Ask) -> Seconds {
    ask.log.first(after: ask.now - allowance.period).map { max(0, $0 + allowance.period - ask.now) } ?? 0
  }

  func reserved(_ ask: Ask) -> Int { min(available(ask), withheld) }

  func supply(_ ask: Ask) -> Supply? {
    let now = available(ask) - reserved(ask)
    return Supply(
      now: Double(now), wait: wait(for: ask.backlog - now, ask), tokens: allowance.tokens - Double(withheld),
      period: allowance.period)
  }

  /// Seconds until the slot becomes free that the last of this many requests will take; whole periods not counted.
  private func wait(for later: Int, _ ask: Ask) -> Seconds {
    let skipped = max(0, later - 1) % allowance.count
    let expiry = ask.log.first(after: ask.now - allowance.period, skipping: skipped)
    return expiry.map { max(0, $0 + allowance.period - ask.now) } ?? allowance.period
  }

  mutating func sent(_ flight: Flight) { if flight.isProbe { doubts?.tested(at: flight.sentAt) } }

  mutating func observe(_ reading: RateLimitReading, _ reply: ReceivedReply) -> Successor? {
    guard let said = reading.remaining else { return nil }
    if reply.flight.sentAt >= readAt, !reply.isThrottled {
      let count = reading.limit ?? allowance.count
      let used = reply.log.count(after: reply.now - LearnedPeriodDoubts.due * allowance.period)
      let unexplained = said - max(0, count - used)
      if doubts?.cameBack(said + 1 - remaining, unexplained: unexplained, of: count, reply) == true {
        return .untimed(remaining: said, from: reply.flight.sentAt)
      }
    }
    // Each request that overlapped this one may have been counted after it.
    let overlapped = reply.log.count(after: reply.flight.sentAt) - 1
    remaining = max(remaining - 1, said - max(0, overlapped))
    // What is gone beyond that, others have taken.
    if isSpread { remaining = min(remaining, said) }
    readAt = reply.now
    moreAt =
      reply.log.first(after: reply.now - allowance.period).map { $0 + allowance.period + Self.settle + Self.hair }
      ?? reply.now + Self.lookAgain * allowance.period
    let logged = allowance.count - reply.log.count(after: reply.now - allowance.period) - reply.others.count
    let left =
      reply.log.count(after: reply.now - 2 * allowance.period) - reply.log.count(after: reply.now - allowance.period)
    if left > 0 && logged >= Self.tokensForProof && Double(said) >= Self.agreement * Double(logged)
      && reply.now - agreedAt > (doubts == nil ? Self.betweenProofs : Self.betweenLearned) * allowance.period
    {
      agreements += 1
      agreedAt = reply.now
    }
    guard reply.flight.sequence >= readBy else { return nil }
    readBy = reply.flight.sequence
    if let limit = reading.limit { allowance.count = limit }
    let own = reply.log.count(after: reply.now - allowance.period)
    let missing = max(0, allowance.count - said - own - reply.others.count)
    others.see(missing, allowance, at: reply.now)
    inSight.see(left: said, missing: missing, period: allowance.period, reply)
    return nil
  }

  /// It may have been counted after the last reply that mentioned this limit, unless it was refused.
  mutating func observeSilence(_ reply: ReceivedReply) {
    guard reply.kind != .throttled, reply.kind != .refused else { return }
    if reply.kind == .answered { trusted = min(1, Self.trustGained * trusted) }
    let given = trusted * allowance.rate * max(0, reply.now - readAt)
    remaining = max(0, min(allowance.count, remaining + Int(clamping: given)) - 1)
    readAt = reply.now
  }

  mutating func succeeded(_ reply: ReceivedReply) -> Successor? {
    refusals = 0
    doubts?.succeeded()
    return nil
  }

  /// Half the pause after a first refusal, as a share of the period, and a minimum in seconds; the longest pause, as such a
  /// share; and how often it doubles at most, which it does with each further one.
  private static let firstPause = 1.0 / 60
  private static let shortestPause: Seconds = 0.5
  private static let longestPause = 0.25
  private static let doublings = 6

  /// A straggler from a known refusal is ignored.
  mutating func refuse(_ reading: RateLimitReading?, wait: Seconds?, _ reply: ReceivedReply) -> Refusal {
    guard reply.flight.isProbe || reply.flight.sentAt >= refusedAt else { return .ignored }
    if doubts != nil, reply.flight.isProbe, reply.log.count(after: reply.now - allowance.period) >= allowance.count {
      doubts?.testRefused()
      return wait.map { .closed(until: reply.now + $0) } ?? .ignored
    }
    refusedAt = reply.now
    (remaining, readAt) = (0, reply.now)
    refusals += 1
    agreements = 0
    let period = allowance.period
    let room = allowance.count - reply.log.count(after: reply.now - period) - reply.others.count
    if Double(room) >= max(Self.plentifulTokens, Self.plentiful * allowance.tokens) {
      isDoubtful = true
      trusted = max(Self.trustedAtLeast, Self.trustedKept * (trusted > 0 ? trusted : Self.trustedFirst))
    }
    others.refused(allowance, at: reply.now)
    if let last = reply.log.last,
      doubts?.wasRefused(room: Double(room) - others.use(at: reply.now, allowance), of: allowance.count) == true
    {
      return .closed(until: reply.now + (wait ?? Self.shortestPause), .untimed(remaining: 0, from: last))
    }
    let first = max(Self.shortestPause, period * Self.firstPause)
    var pause = min(period * Self.longestPause, first * Double(1 << min(refusals, Self.doublings)))
    let idle = reply.log.count(after: reply.now - period) == 0 && reply.others.isEmpty
    if idle, let reset = reading?.reset { pause = max(pause, min(reset, period)) }
    return .closed(until: reply.now + max(pause, wait ?? 0))
  }

  mutating func lengthen(to period: Seconds) {
    allowance.period = period
    if doubts != nil { doubts = LearnedPeriodDoubts(period: period, now: readAt) }
  }

  mutating func apply(_ reserve: PacerSettings.Reserve) { self.reserve = reserve }
}
