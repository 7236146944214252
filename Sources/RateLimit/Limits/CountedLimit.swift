// A limit that no header shows but whose size is known: found by search, named by a refusal's text, remembered from an
// earlier run, or assumed by the operator. Our own log keeps us below it. Now and then one request more is tried, since
// only a refusal tells where the limit is and only a success that it was raised.

struct CountedLimit: Sendable {
  private(set) var allowance: Allowance
  let source: Standing.Source
  /// A limit set by the operator is never exceeded; others may grow.
  private let ceiling: Int?
  /// An instant at which a window began, where windows were seen to begin at all.
  private(set) var edge: Seconds?
  private var since: Seconds
  /// Refusals that may be risked: five in a thousand successes, three saved up at most.
  private var credit = 1.0
  /// How many requests beyond the limit may be under way; grows while they pass.
  private var step = 1
  /// Whatever the credit, one more is tried from here on: a limit cut by mistake must grow back.
  private var tryAt: Seconds
  private var patience: Double = 1
  /// What had passed in the window when it was refused too early. Either the limit was cut, or there are no windows; the
  /// next probe tells.
  private var suspect: Int?
  private var refusals = 0
  private var refusedAt: Seconds = -.infinity
  private var shift: Seconds = 0.1
  private let withheld: Int

  /// Credit earned by a success.
  private static let earned = 0.005
  private static let longestStep = 8
  /// Periods between two attempts that were refused, at most.
  private static let longestPatience = 2.0
  /// The window is used this many times faster than even, so that there is time left to try for more.
  private static let tempo = 3.0
  /// Seconds after an expiry before the slot is used.
  private static let settle: Seconds = 0.05

  init(allowance: Allowance, source: Standing.Source, edge: Seconds?, withheld: Int, now: Seconds) {
    self.withheld = withheld
    self.allowance = allowance
    self.source = source
    self.edge = edge
    ceiling = source == .assumed ? allowance.count : nil
    since = now
    tryAt = now + 4 * allowance.period
  }

  /// When the window that holds `now` began, where windows are known.
  private func begun(_ now: Seconds) -> Seconds? {
    edge.map { edge in
      let passed = ((now - edge - shift) / allowance.period).rounded(.down)
      return edge + passed * allowance.period
    }
  }

  /// Own requests that count now.
  func used(at now: Seconds, _ log: SentLog) -> Int {
    log.count(after: horizon(now))
  }

  private func horizon(_ now: Seconds) -> Seconds {
    max(begun(now) ?? -.infinity, now - allowance.period - Self.settle)
  }

  /// When the next slot comes free by itself.
  private func renewal(_ now: Seconds, _ log: SentLog) -> Seconds {
    if let begun = begun(now) { return begun + allowance.period + shift + 0.001 }
    return (log.first(after: horizon(now)) ?? now) + allowance.period + Self.settle + 0.001
  }

  func resetsIn(at now: Seconds, _ log: SentLog) -> Seconds { max(0, renewal(now, log) - now) }

  func supply(_ ask: Ask) -> Supply {
    let free = allowance.count - withheld - used(at: ask.now, ask.log) - ask.inFlight
    return Supply(
      now: Double(max(0, free)), wait: resetsIn(at: ask.now, ask.log), tokens: Double(allowance.count - withheld),
      period: allowance.period)
  }

  func turn(_ ask: Ask) -> Turn {
    let now = ask.now
    let excess = used(at: now, ask.log) + ask.inFlight - (allowance.count - withheld)
    if excess < 0 {
      if ask.backlog <= -excess { return .go }
      let next = ask.lastSentAt + allowance.period / (allowance.tokens * Self.tempo)
      return next > now ? .wait(until: next) : .go
    }
    let mayTry = ceiling == nil && withheld == 0 && (credit >= 1 || now >= tryAt)
    if mayTry && excess < step { return .go }
    return .wait(until: max(now + 0.02, renewal(now, ask.log)))
  }

  /// Requests in flight at most: a limit that was found by refusals has to stand for a period before it is trusted.
  func concurrency(now: Seconds) -> Int? {
    source == .learned && now - since < allowance.period ? 8 : nil
  }

  mutating func succeeded(_ reply: ReceivedReply) {
    if reply.flight.isProbe && suspect != nil {
      // Quota came back without a new window.
      suspect = nil
      edge = nil
    }
    refusals = 0
    credit = min(3, credit + Self.earned)
    let used = used(at: reply.now, reply.log)
    guard ceiling == nil, used > allowance.count else { return }
    allowance.count = min(used, Allowance.counts.upperBound)
    step = min(step + 1, Self.longestStep)
    patience = 1
    tryAt = reply.now
  }

  /// Whether a refusal proves that the period is longer than was found: nothing of ours stands in it.
  func isDisproved(by reply: ReceivedReply) -> Bool {
    source == .learned && reply.flight.isProbe && reply.flight.sentAt - since > 1.2 * allowance.period
      && reply.log.count(after: reply.flight.sentAt - 1.2 * allowance.period - Self.settle) == 0
  }

  /// - Returns: until when all wait; nil when nobody need stop.
  mutating func refuse(wait: Seconds?, _ reply: ReceivedReply) -> Seconds? {
    let now = reply.now
    credit -= 1
    step = 1
    patience = min(Self.longestPatience, 2 * patience)
    tryAt = now + patience * allowance.period
    guard reply.flight.isProbe || reply.flight.sentAt > refusedAt else { return nil }
    let used = used(at: now, reply.log)
    // Those under way may have been counted before it.
    let expected = !reply.flight.isProbe && used + reply.others.count >= allowance.count
    refusedAt = now
    // One too many, as expected; the own log holds us back without a gate.
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
      return max(now + 1, expiry + allowance.period + Self.settle)
    }
    // What was sent before this run is in nobody's log: only a whole period that was watched proves a lower limit.
    if !reply.flight.isProbe && now - since >= allowance.period { allowance.count = max(1, used) }
    if refusals > 2 { edge = nil }
    shift = min(2, shift + (reply.flight.isProbe ? 0.25 : 0))
    if let wait { return now + wait + Self.settle }
    if edge != nil || used >= allowance.count { return renewal(now, reply.log) }
    return now + min(max(1, allowance.period / 4), Double(1 << min(refusals, 6)))
  }
}
