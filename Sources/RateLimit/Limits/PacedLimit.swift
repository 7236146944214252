// A quota without headers that refills all the time: requests go at a rate near the one that passed, which grows slowly
// until a refusal and is then measured again. At first it grows fast: what passed before includes the waits of the search.

struct PacedLimit: LimitModel {
  /// How fast the rate grows while it is looked for.
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

  /// The share of the rate that was refused, or that passed up to then, which is begun with again.
  private static let share = 0.9
  /// Seconds between two refusals that mean that the rate is far off.
  private static let soon: Seconds = 2.5
  private static let steep = Ramp(perSecond: 2, perSuccess: 1.06)
  private static let gentle = Ramp(perSecond: 1.25, perSuccess: 1.02)
  private static let highest = 1e6

  var source: Standing.Source { .none }

  init(log: SentLog, now: Seconds) {
    (startedAt, cutAt, grownAt, refusedAt) = (now, now, now, now)
    // What came in a rush and then had to wait tells the rate only when it is taken together.
    let span = max(5, now - (log.first(after: now - 120) ?? now))
    rate = max(0.1, Double(log.count(after: now - 120)) / span)
  }

  /// The rate at which requests passed since the quota was empty for the first time, of the last 20 s at most. What was not
  /// used during pauses is missing from it where little can be saved up.
  private func passed(_ log: SentLog, _ now: Seconds) -> Double {
    let from = max(startedAt, now - 20)
    return Double(log.count(after: from)) / max(2, now - from)
  }

  private mutating func cut(_ log: SentLog, _ now: Seconds) {
    let isSoon = now - cutAt < Self.soon
    let kept = ramp.map { 1 / $0.perSecond } ?? (isSoon ? 0.5 : Self.share)
    let measured = isSoon ? 0 : Self.share * passed(log, now)
    // What grew beyond that grew while there was nothing to send, or has been measured.
    let refused = min(grown(now), 2 * rate)
    rate = max(0.1, measured, kept * refused)
    cutAt = now
    if let ramp { self.ramp = ramp.perSecond > Self.gentle.perSecond ? Self.gentle : nil }
  }

  func turn(_ ask: Ask) -> Turn {
    let next = ask.lastSentAt + 1 / grown(ask.now)
    return next > ask.now ? .wait(until: next) : .go
  }

  /// Cubic in time, as congestion control grows: slow near the rate that was refused, fast far from it.
  private func grown(_ now: Seconds) -> Double {
    let age = (now - cutAt) / 20
    return rate * (1 + 0.04 * age + (age < 8 ? 0.02 * age * age * age : 12))
  }

  /// Requests in flight at most: all of them are refused together.
  func ceiling(now: Seconds) -> Int? { max(8, Int(clamping: min(Self.highest, (now - refusedAt) / 5))) }

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
    let pause = min(10, 0.5 * Double(1 << min(refusals, 5))) * (0.8 + 0.4 * reply.chance)
    // Quota that does not come back is no refill.
    return .closed(until: reply.now + max(pause, wait ?? 0), refusals > 4 ? .searched : nil)
  }
}
