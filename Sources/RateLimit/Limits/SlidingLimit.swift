// A limit counted over the last `period` at every moment, described by headers. Reset is the expiry of the oldest
// request, so the end moves with every reply. Our own log knows better than any header when a slot becomes free.

struct SlidingLimit: LimitModel {
  private(set) var allowance: Allowance
  /// Requests of others in the window, smoothed; halves in half a period.
  private var foreign: Double
  private var foreignAt: Seconds
  private var readBy: UInt64 = 0
  /// What the replies say is left at least, including what requests in flight will take.
  private(set) var remaining: Int
  private var readAt: Seconds
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
  private var reserve: PacerSettings.Reserve

  var granted: Allowance? { allowance }
  var source: LimitStanding.Source { .headers }
  var yieldsToRefill: Bool { true }
  private var withheld: Int { reserve.withheld(of: allowance.count) }

  /// Multiples of the even rate at which the count is assumed to grow: at first, the share that a refusal leaves, and
  /// the minimum.
  private static let trustedFirst = 0.4  // T13
  private static let trustedKept = 0.5  // T13
  private static let trustedAtLeast = 0.05
  /// More than this share of the limit is more than stale counts and neighbours can explain, …
  private static let plentiful = 0.1
  /// … and so are these tokens, …
  private static let plentifulTokens = 2.0
  /// … and what is granted in these seconds.
  private static let plentifulFor: Seconds = 2
  /// Seconds to wait after a slot expires.
  private static let settle: Seconds = 0.01
  /// Seconds added so that the slot is certainly free on waking.
  private static let hair: Seconds = 0.001
  /// Shortest waits, in seconds, while the server should have room and while the log has none.
  private static let shortestWait: Seconds = 0.005
  private static let shortestExpiry: Seconds = 0.01
  /// The share of the period after which to check again whether others left room.
  private static let lookAgain = 0.1

  init(
    allowance: Allowance, remaining: Int, isLearned: Bool = false, reserve: PacerSettings.Reserve, now: Seconds
  ) {
    doubts = isLearned ? LearnedPeriodDoubts(period: allowance.period, now: now) : nil
    // What is shown to be left is all that is trusted, until the log proves right.
    if isLearned { trusted = 0 }
    self.reserve = reserve
    self.allowance = allowance
    self.remaining = remaining
    readAt = now
    foreign = 0
    foreignAt = now
  }

  func turn(_ ask: Ask) -> Turn {
    let horizon = ask.now - allowance.period - Self.settle
    let others = max(Int(clamping: foreign(at: ask.now) + 0.5), withheld)
    let said = remaining + Int(clamping: trusted * allowance.rate * max(0, ask.now - readAt)) - ask.inFlight - withheld
    if allowance.count - ask.log.count(after: horizon) - ask.inFlight - others >= 1 {
      // The log has room. So has the server, unless it counts in another way and returns evenly what came in a rush.
      if said >= 1 || (!isDoubtful && (isProven || ask.inFlight == 0)) { return .go }
      if ask.inFlight > 0 { return .reply }
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

  /// The server was seen to give back what left the log.
  private var isProven: Bool { agreements >= Self.proofs }

  /// Less left may be a mistake.
  private var plenty: Double {
    doubts != nil ? 0 : max(Self.plentifulTokens, Self.plentiful * allowance.tokens, Self.plentifulFor * allowance.rate)
  }

  func available(_ ask: Ask) -> Int {
    let others = Int(clamping: foreign(at: ask.now) + 0.5)
    return max(0, allowance.count - ask.log.count(after: ask.now - allowance.period) - ask.inFlight - others)
  }

  /// Seconds until the oldest own request leaves the window.
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

  /// The share of the period in which half of others' requests have left the window.
  private static let halfLife = 0.5
  /// After x half-lives 1 / (1 + linear · x + quadratic · x²) of them are left, close to 2^-x without a maths library.
  private static let linear = 0.7
  private static let quadratic = 0.3
  /// Tokens above this belong to others, fewer are noise; how fast either is believed.
  private static let noise = 2.0
  private static let believed = 0.3
  private static let forgotten = 0.1
  /// What a refusal adds to others' requests: this share of the limit, or this many tokens.
  private static let refusedShare = 0.01
  private static let refusedTokens = 0.26

  /// Halved in each half-life, roughly (x = 1: 0.50, 2: 0.28, 4: 0.12).
  private func foreign(at now: Seconds) -> Double {
    let halves = (now - foreignAt) / (Self.halfLife * allowance.period)
    return foreign / (1 + halves * Self.linear + halves * halves * Self.quadratic)
  }

  mutating func sent(_ flight: Flight) { if flight.isProbe { doubts?.tested(at: flight.sentAt) } }

  mutating func observe(_ reading: RateLimitReading, _ reply: ReceivedReply) -> Successor? {
    guard let said = reading.remaining else { return nil }
    if reply.flight.sentAt >= readAt, !reply.isThrottled {
      let count = reading.limit ?? allowance.count
      let used = reply.log.count(after: reply.now - LearnedPeriodDoubts.due * allowance.period)
      if doubts?.cameBack(min(said - max(0, count - used), said + 1 - remaining), of: count) == true {
        return .untimed(remaining: said, from: reply.flight.sentAt)
      }
    }
    // Each request that overlapped this one may have been counted after it.
    let overlapped = reply.log.count(after: reply.flight.sentAt) - 1
    remaining = max(remaining - 1, said - max(0, overlapped))
    readAt = reply.now
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
    let seen = Double(max(0, allowance.count - said - own - reply.others.count))
    foreign = foreign(at: reply.now)
    foreignAt = reply.now
    let (weight, others) = seen > Self.noise ? (Self.believed, seen) : (Self.forgotten, 0)
    foreign = (1 - weight) * foreign + weight * others
    return nil
  }

  /// It may have been counted after the last reply that mentioned this limit.
  mutating func observeSilence(_ reply: ReceivedReply) {
    let given = trusted * allowance.rate * max(0, reply.now - readAt)
    remaining = min(allowance.count, remaining + Int(clamping: given)) - 1
    readAt = reply.now
  }

  mutating func succeeded(_ reply: ReceivedReply) -> Successor? {
    refusals = 0
    doubts?.succeeded()
    return nil
  }

  /// Half the pause after a first refusal, as a share of the period, and a minimum in seconds. It doubles with each
  /// further one.
  private static let firstPause = 1.0 / 60
  private static let shortestPause: Seconds = 0.5
  /// The longest pause, as a share of the period, and how often a pause doubles at most.
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
    foreign = min(
      allowance.tokens - 1, foreign(at: reply.now) + max(Self.refusedTokens, Self.refusedShare * allowance.tokens))
    foreignAt = reply.now
    if let last = reply.log.last, doubts?.wasRefused(room: Double(room) - foreign, of: allowance.count) == true {
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
