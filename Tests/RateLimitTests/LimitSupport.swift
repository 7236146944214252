// Questions and replies for the models of a limit, with every instant written by hand.

import Testing

@testable import RateLimit

extension Ask {
  static func at(
    _ now: Seconds, backlog: Int = 10_000, inFlight: Int = 0, lastSentAt: Seconds = -.infinity,
    roundTrip: Seconds = 0.2, log: [Seconds] = []
  ) -> Ask {
    Ask(
      now: now, backlog: backlog, inFlight: inFlight, lastSentAt: lastSentAt, roundTrip: roundTrip, log: SentLog(log))
  }
}

extension ReceivedReply {
  /// A reply that came a tenth of a second after its request was sent.
  static func to(
    _ sequence: UInt64 = 1, sentAt: Seconds, kind: PacedReply.Kind = .answered, isProbe: Bool = false,
    others: Int = 0, clock: ServerClock = ServerClock(), log: [Seconds] = [], chance: Double = 0.5
  ) -> ReceivedReply {
    let flight = Flight(sequence: sequence, sentAt: sentAt, isProbe: isProbe)
    let other = Flight(sequence: sequence + 1, sentAt: sentAt, isProbe: false)
    return ReceivedReply(
      flight: flight, kind: kind, now: sentAt + 0.1, others: Array(repeating: other, count: others), clock: clock,
      log: SentLog(log), chance: chance)
  }

  /// A 429.
  static func refusal(
    _ sequence: UInt64 = 1, sentAt: Seconds, isProbe: Bool = false, others: Int = 0,
    clock: ServerClock = ServerClock(), log: [Seconds] = [], chance: Double = 0.5
  ) -> ReceivedReply {
    to(
      sequence, sentAt: sentAt, kind: .throttled, isProbe: isProbe, others: others, clock: clock, log: log,
      chance: chance)
  }
}

extension SentLog {
  init(_ instants: [Seconds]) {
    self.init()
    for instant in instants { append(instant) }
  }
}

extension ServerClock {
  /// A server whose seconds since 1970 are our own, known to a millisecond.
  static let ours: ServerClock = {
    var clock = ServerClock()
    clock.observe(date: 100, sentAt: 100, receivedAt: 100)
    clock.observe(date: 100, sentAt: 100.999, receivedAt: 100.999)
    return clock
  }()
}

extension RateLimitReading {
  static func told(
    _ remaining: Int?, of limit: Int? = 600, in period: Seconds? = 60, reset: Seconds? = nil, date: Seconds? = nil,
    name: String? = nil
  ) -> RateLimitReading {
    RateLimitReading(name: name, limit: limit, period: period, remaining: remaining, reset: reset, date: date)
  }
}

extension Turn {
  /// Until when to wait, nil for any other answer.
  var instant: Seconds? {
    if case .wait(let until) = self { until } else { nil }
  }
}

extension Refusal {
  /// Until when nobody passes, nil where nobody need stop.
  var instant: Seconds? {
    if case .closed(let until, _) = self { until } else { nil }
  }

  /// Until when nobody passes; throws where nobody need stop.
  func until() throws -> Seconds { try #require(instant) }
}
