// A limit that no header shows but whose size is known: found by search, named in a refusal, remembered from an earlier
// run, or assumed by the operator. Our own log keeps us below it. Now and then one request more is tried, since only a
// refusal shows where the limit is and only a success that it was raised.

struct CountedLimit: LimitModel {
  private var allowance: Allowance
  let source: LimitStanding.Source
  /// An instant at which a window began, if windows were seen to begin at all.
  private var edge: Seconds?
  private let since: Seconds
  /// Refusals that may be risked: five for every thousand successes, at most three saved up.
  private var credit = Self.creditAtFirst
  /// How many requests above the limit may be in flight; grows while they pass.
  private var step = 1
  /// Requests above the limit that passed since the last refusal.
  private var passedAbove = 0
  /// One more is tried from here on, whatever the credit: a limit that was cut by mistake must grow back.
  private var tryAt: Seconds
  private var patience: Double = 1
  /// How many had passed in the window when it was refused too early. Either the limit was cut, or there are no
  /// windows; the next probe decides.
  private var suspect: Int?
  private var refusals = 0
  private var refusedAt: Seconds = -.infinity
  /// Seconds after an edge before its window is used; a server may restore late.
  private var shift = Self.firstShift
  private var reserve: PacerSettings.Reserve

  var granted: Allowance? { allowance }
  /// A limit set by the operator is never exceeded; others may grow.
  private var mayGrow: Bool { source != .assumed }
  private var withheld: Int {
    source == .learned ? reserve.withheldUnseen(of: allowance.count) : reserve.withheld(of: allowance.count)
  }
  /// Whether others are left a share although none was seen and the operator named none.
  private var isSharedUnseen: Bool { reserve == .automatic && withheld > 0 }

  /// Refusals that may be risked at first, credit earned by a success, and the maximum credit saved up.
  private static let creditAtFirst = 1.0
  private static let earned = 0.005  // S32, S33, T01, T02
  private static let creditAtMost = 3.0
  /// Periods before more is tried, whatever the credit; also the most where it takes what is left to others.
  private static let firstPatience = 4.0
  /// How many must have passed above the limit before one more may be in flight there, and how many at most.
  private static let passedForStep = 3
  private static let longestStep = 8  // S31, S32
  /// Maximum periods between two attempts that were refused; more where they grant fewer successes than these.
  private static let longestPatience = 2.0  // S31, T02
  private static let successesForTry = 200.0
  /// Seconds from which on a period is doubted that is not a usual one.
  private static let doubtfulPeriod: Seconds = 600
  /// The share of a period that must be left when more is tried, and the same where others cannot be seen.
  private static let telling = 0.25
  private static let tellingShared = 0.1
  /// The factor by which a refused attempt makes the next one later.
  private static let patienceGrowth = 2.0
  /// The window is used this many times faster than evenly, which leaves time to try for more.
  private static let tempo = 3.0  // S31, S32, S33
  /// Seconds to wait after a slot expires.
  private static let settle: Seconds = 0.05
  /// Seconds after an edge before its window is used: at first, the increase for each refused probe, and the maximum.
  private static let firstShift: Seconds = 0.1
  private static let shiftGrowth: Seconds = 0.25
  private static let longestShift: Seconds = 2
  /// Seconds added so that a slot is certainly free on waking, and the shortest wait.
  private static let hair: Seconds = 0.001
  private static let shortestWait: Seconds = 0.02
  /// Requests in flight in the first period of a limit that was found by search.
  private static let inFlightAtFirst = 8  // S33
  /// A refusal after this many periods without a request of ours shows that the real period is longer, and so does a
  /// Retry-After of as many.
  private static let disproof = 1.2
  /// After this many refusals in a row, the assumed start of windows is no longer believed.
  private static let refusalsOfEdge = 2
  /// Shortest pause after an unexpected refusal, in seconds.
  private static let shortestPause: Seconds = 1
  /// The share of a period after which to probe at the latest if the start of its window is unknown.
  private static let longestPause = 0.25
  /// How often that pause doubles at most.
  private static let doublings = 6

  init(allowance: Allowance, source: LimitStanding.Source, edge: Seconds?, reserve: PacerSettings.Reserve, now: Seconds)
  {
    self.reserve = reserve
    self.allowance = allowance
    self.source = source
    self.edge = edge
    since = now
    tryAt = now + Self.firstPatience * allowance.period
  }

  /// A limit named in a refusal. Documented windows end at multiples of their period on the server's clock; the probe
  /// shows whether this one does.
  init(stated: Allowance, reserve: PacerSettings.Reserve, _ reply: ReceivedReply) {
    let edge = reply.clock.epoch(at: reply.now).map { reply.now - $0.truncatingRemainder(dividingBy: stated.period) }
    self.init(allowance: stated, source: .body, edge: edge, reserve: reserve, now: reply.now)
  }

  /// When to probe after the refusal that named the limit.
  func opens(wait: Seconds?, _ reply: ReceivedReply) -> Seconds {
    if let wait { return reply.now + wait + Self.settle }
    return edge.map { $0 + allowance.period + Self.firstShift } ?? reply.now
      + min(Self.shortestPause, allowance.period * Self.longestPause)
  }

  /// When the window containing `now` began, if windows are known.
  private func begun(_ now: Seconds) -> Seconds? {
    edge.map { edge in
      let passed = ((now - edge - shift) / allowance.period).rounded(.down)
      return edge + passed * allowance.period
    }
  }

  /// Own requests that count now.
  private func used(at now: Seconds, _ log: SentLog) -> Int { log.count(after: horizon(now)) }

  private func horizon(_ now: Seconds) -> Seconds {
    max(begun(now) ?? -.infinity, now - allowance.period - Self.settle)
  }

  /// When the next slot becomes free by itself.
  private func renewal(_ now: Seconds, _ log: SentLog) -> Seconds {
    if let begun = begun(now) { return begun + allowance.period + shift + Self.hair }
    return (log.first(after: horizon(now)) ?? now) + allowance.period + Self.settle + Self.hair
  }

  func available(_ ask: Ask) -> Int { max(0, allowance.count - used(at: ask.now, ask.log) - ask.inFlight) }

  func own(_ ask: Ask) -> Int? { used(at: ask.now, ask.log) + ask.inFlight }

  func reserved(_ ask: Ask) -> Int { min(available(ask), withheld) }

  func resetsIn(_ ask: Ask) -> Seconds { max(0, renewal(ask.now, ask.log) - ask.now) }

  func supply(_ ask: Ask) -> Supply? {
    Supply(
      now: Double(available(ask) - reserved(ask)), wait: resetsIn(ask), tokens: Double(allowance.count - withheld),
      period: allowance.period)
  }

  func turn(_ ask: Ask) -> Turn {
    let now = ask.now
    let excess = used(at: now, ask.log) + ask.inFlight - (allowance.count - withheld)
    if excess < 0 {
      if ask.backlog <= -excess { return .go }
      let next =
        isSharedUnseen
        ? SharedPace.next(ask, allowance, free: -excess, withheld: withheld)
        : ask.lastSentAt + allowance.period / (allowance.tokens * Self.tempo)
      return next > now ? .wait(until: next) : .go
    }
    let renewal = renewal(now, ask.log)
    let mayTry = mayGrow && (isSharedUnseen ? now >= tryAt : withheld == 0 && (credit >= 1 || now >= tryAt))
    // Near the end, a request may be counted in the next window and tell nothing.
    let telling = (isSharedUnseen ? Self.tellingShared : Self.telling) * allowance.period
    if mayTry && excess < withheld + step && renewal - now > telling { return .go }
    return .wait(until: max(now + Self.shortestWait, renewal))
  }

  /// Maximum requests in flight: a limit found by refusals must hold for a period before it is trusted.
  func ceiling(now: Seconds) -> Int? {
    source == .learned && now - since < allowance.period ? Self.inFlightAtFirst : nil
  }

  /// What the operator assumes need not be remembered.
  func learned(name: String?) -> LearnedLimits.Limit? {
    source == .assumed ? nil : .init(name: name, allowance: allowance, edge: edge)
  }

  mutating func apply(_ reserve: PacerSettings.Reserve) { self.reserve = reserve }

  mutating func succeeded(_ reply: ReceivedReply) -> Successor? {
    if reply.flight.isProbe && suspect != nil {
      // Quota came back without a new window.
      suspect = nil
      edge = nil
    }
    refusals = 0
    credit = min(Self.creditAtMost, credit + Self.earned)
    let used = used(at: reply.now, reply.log)
    guard mayGrow, used > allowance.count else { return nil }
    allowance.count = min(used, Allowance.counts.upperBound)
    passedAbove += 1
    step = min(1 + passedAbove / Self.passedForStep, Self.longestStep)
    patience = 1
    tryAt = reply.now
    return nil
  }

  /// Whether a refusal proves that the period is longer than assumed: it contains no request of ours, or more comes only
  /// after the period.
  private func isDisproved(by reply: ReceivedReply, wait: Seconds?) -> Bool {
    if source == .learned, let wait, wait > Self.disproof * allowance.period { return true }
    return source == .learned && reply.flight.isProbe && reply.flight.sentAt - since > Self.disproof * allowance.period
      && reply.log.count(after: reply.flight.sentAt - Self.disproof * allowance.period - Self.settle) == 0
  }

  mutating func refuse(_ reading: RateLimitReading?, wait: Seconds?, _ reply: ReceivedReply) -> Refusal {
    if isDisproved(by: reply, wait: wait) { return .disproved(.searched) }
    return pause(wait: wait, isStated: reading?.stated == allowance, reply).map { .closed(until: $0) } ?? .ignored
  }

  /// A long period that no documented limit has may come from refusals that were no limit's: an overloaded gateway's,
  /// which ends. With one request in 700 s, two hundred successes are more than a day.
  private var mostPatience: Double {
    let isDoubtful =
      source == .learned && allowance.period > Self.doubtfulPeriod && !UsualPeriod.isOne(allowance.period)
    if isDoubtful { return Self.longestPatience }
    return max(isSharedUnseen ? Self.firstPatience : Self.longestPatience, Self.successesForTry / allowance.tokens)
  }

  /// - Returns: Until when all wait; nil when none has to.
  private mutating func pause(wait: Seconds?, isStated: Bool, _ reply: ReceivedReply) -> Seconds? {
    let now = reply.now
    credit -= 1
    (step, passedAbove) = (1, 0)
    patience = min(mostPatience, Self.patienceGrowth * patience)
    tryAt = now + patience * allowance.period
    guard reply.flight.isProbe || reply.flight.sentAt > refusedAt else { return nil }
    let used = used(at: now, reply.log)
    // Requests in flight may have been counted before it.
    let expected = !reply.flight.isProbe && used + reply.others.count >= allowance.count
    refusedAt = now
    // One too many, as expected; our own log holds us back without a gate.
    if expected { return nil }
    refusals += 1
    if let cut = suspect {
      suspect = nil
      allowance.count = max(1, cut)
      if edge != nil { return renewal(now, reply.log) }
    }
    let inPeriod = reply.log.count(after: now - allowance.period)
    if edge != nil && wait == nil && !reply.flight.isProbe && inPeriod >= allowance.count - Self.longestStep {
      suspect = used
      let expiry = reply.log.first(after: now - allowance.period) ?? now
      return max(now + Self.shortestPause, expiry + allowance.period + Self.settle)
    }
    // What was sent before this run is in no log: only a whole watched period proves a lower limit.
    if !reply.flight.isProbe && now - since >= allowance.period {
      if isStated { edge = nil } else { allowance.count = max(1, used) }
    }
    if refusals > Self.refusalsOfEdge { edge = nil }
    if reply.flight.isProbe { shift = min(Self.longestShift, shift + Self.shiftGrowth) }
    if let wait { return now + wait + Self.settle }
    if edge != nil || used >= allowance.count { return renewal(now, reply.log) }
    let longest = max(Self.shortestPause, allowance.period * Self.longestPause)
    return now + min(longest, Double(1 << min(refusals, Self.doublings)))
  }
}
