// A quota without headers that refills all the time. Requests go at a rate near the one that passed, which grows slowly
// until a refusal and is then measured again. At first it grows fast, because what passed before includes the waits of
// the search.

struct PacedLimit: LimitModel {
  /// How fast the rate grows during the search.
  private struct Ramp {
    /// At most, per second.
    var perSecond: Double
    /// At most, per success.
    var perSuccess: Double
  }

  private var rate: Double
  /// Nil once two refusals have bounded the rate.
  private var ramp: Ramp? = Self.steep
  private var grownAt: Seconds
  private let startedAt: Seconds
  private var cutAt: Seconds
  private var refusals = 0
  private var refusedAt: Seconds

  /// The share of the refused rate, or of the rate that passed so far, to continue with.
  private static let share = 0.9  // S34, T14
  /// Seconds between two refusals that mean that the rate is far off.
  private static let soon: Seconds = 2.5  // S34, T14
  private static let steep = Ramp(perSecond: 2, perSuccess: 1.06)
  private static let gentle = Ramp(perSecond: 1.25, perSuccess: 1.02)
  private static let highest = 1e6
  /// The lowest rate, in requests a second.
  private static let lowest = 0.1
  /// The shortest and longest time over which the rate is first measured, in seconds.
  private static let firstSpan: Seconds = 5  // S34
  private static let longestFirstSpan: Seconds = 120
  /// The shortest and longest time over which it is measured later, in seconds.
  private static let span: Seconds = 2
  private static let longestSpan: Seconds = 20
  /// The share of the refused rate to continue with when a second refusal comes soon.
  private static let shareSoon = 0.5  // S34
  /// Growth beyond this multiple of the rate happened while there was nothing to send.
  private static let grownAtMost = 2.0  // T14
  /// The unit of the curve by which the rate grows, in seconds, and its two terms: linear and cubic.
  private static let unit: Seconds = 20  // S34, T14
  private static let linear = 0.04  // S34, T14
  private static let cubic = 0.02
  /// A unit has at least so many requests, so that less than one in a hundred is refused.
  private static let requestsOfUnit = 60.0
  /// Units after which the cubic term stops growing, and its final value.
  private static let units = 8.0
  private static let cubicAtMost = 12.0
  /// The fewest requests in flight; one more for each of these seconds without a refusal.
  private static let inFlight = 8
  private static let secondsForOneMore: Seconds = 5
  /// Half the first pause after a refusal, in seconds, and the longest pause; both vary by this share.
  private static let pause: Seconds = 0.5  // S34, T14
  private static let longestPause: Seconds = 10
  private static let pauseVariation = 0.2  // S34
  /// How often a pause doubles at most.
  private static let doublings = 5
  /// Refused probes in a row, including the first refusal, that a refilling quota would not cause.
  private static let disproof = 5

  var source: LimitStanding.Source { .none }

  init(log: SentLog, now: Seconds) {
    (startedAt, cutAt, grownAt, refusedAt) = (now, now, now, now)
    // A rush followed by a wait shows the rate only when both are taken together.
    let earliest = now - Self.longestFirstSpan
    let span = max(Self.firstSpan, now - (log.first(after: earliest) ?? now))
    rate = max(Self.lowest, Double(log.count(after: earliest)) / span)
  }

  /// The rate at which requests passed since the quota was first empty, over the last 20 s at most. What was not used
  /// during pauses is missing from it if little can be saved up.
  private func passed(_ log: SentLog, _ now: Seconds) -> Double {
    let from = max(startedAt, now - Self.longestSpan)
    return Double(log.count(after: from)) / max(Self.span, now - from)
  }

  private mutating func cut(_ log: SentLog, _ now: Seconds) {
    let isSoon = now - cutAt < Self.soon
    let kept = ramp.map { 1 / $0.perSecond } ?? (isSoon ? Self.shareSoon : Self.share)
    let measured = isSoon ? 0 : Self.share * passed(log, now)
    // Growth beyond that happened while there was nothing to send, or has been measured.
    let refused = min(grown(now), Self.grownAtMost * rate)
    rate = max(Self.lowest, measured, kept * refused)
    cutAt = now
    if let ramp { self.ramp = ramp.perSecond > Self.gentle.perSecond ? Self.gentle : nil }
  }

  func turn(_ ask: Ask) -> Turn {
    let next = ask.lastSentAt + 1 / grown(ask.now)
    return next > ask.now ? .wait(until: next) : .go
  }

  /// Cubic in time, as in congestion control: slow near the refused rate, fast far from it. Starting from 10 a second:
  /// 10.6 after 20 s, 12.4 after 40 s, 37 after 100 s, 133 after 160 s.
  private func grown(_ now: Seconds) -> Double {
    let age = (now - cutAt) / max(Self.unit, Self.requestsOfUnit / rate)
    let cubic = age < Self.units ? Self.cubic * age * age * age : Self.cubicAtMost
    return rate * (1 + Self.linear * age + cubic)
  }

  /// Maximum requests in flight: they are all refused together.
  func ceiling(now: Seconds) -> Int? {
    max(Self.inFlight, Int(clamping: min(Self.highest, (now - refusedAt) / Self.secondsForOneMore)))
  }

  func supply(_ ask: Ask) -> Supply? { Supply(now: 0, wait: 0, tokens: rate, period: 1, isContinuous: true) }

  mutating func succeeded(_ reply: ReceivedReply) -> Successor? {
    refusals = 0
    guard let ramp else { return nil }
    let growth = 1 + (ramp.perSecond - 1) * max(0, reply.now - grownAt)
    rate = min(Self.highest, rate * min(growth, ramp.perSuccess))
    grownAt = reply.now
    return nil
  }

  mutating func refuse(_ reading: RateLimitReading?, wait: Seconds?, _ reply: ReceivedReply) -> Refusal {
    guard reply.flight.isProbe || reply.flight.sentAt > refusedAt else { return .ignored }
    if !reply.flight.isProbe {
      refusedAt = reply.now
      cut(reply.log, reply.now)
      refusals = 0
    }
    refusals += 1
    let pause =
      min(Self.longestPause, Self.pause * Double(1 << min(refusals, Self.doublings)))
      * (1 - Self.pauseVariation + 2 * Self.pauseVariation * reply.chance)
    // Quota that does not come back is not a refill.
    return .closed(until: reply.now + max(pause, wait ?? 0), refusals >= Self.disproof ? .searched : nil)
  }
}
