// A server of fixed windows of 5 s, or without a limit, whose replies have what a test wants, and the pacer against it in
// virtual time: every reply comes 30 ms after its request.

import RateLimit

struct OddServer {
  /// A reply before it is worded.
  struct Answer {
    /// Counts from 1.
    var number: Int
    var isRefused: Bool
    var left: Int
    /// Seconds until the window ends.
    var reset: Seconds
  }

  /// What a run comes to.
  struct Outcome {
    var registered = 0
    var refused = 0
    var seconds: Seconds = 0
    /// The longest time, in seconds, without a registered key.
    var longestGap: Seconds = 0
  }

  /// Nil for none.
  var limit: Int?
  var workers = 8
  /// What a reply says of the limit. Each has a Date beside it.
  var wording: (Answer) -> RateLimitReading

  private static let period: Seconds = 5
  private static let roundTrip: Seconds = 0.03
  private static let longest: Seconds = 90
  /// Seconds since 1970 at the start. Windows are aligned to the calendar.
  private static let epoch: Seconds = 1_700_000_001.7

  /// Registers keys until all are, or 90 s are over.
  func run(keys: Int = 300) -> Outcome {
    var pacer = Pacer(settings: PacerSettings(workers: workers), learned: nil, seed: 1, now: 0)
    var outcome = Outcome()
    var flights: [(permit: Permit, answer: Answer, at: Seconds)] = []
    var (now, last, number, window, used) = (0.0, 0.0, 0, -1.0, 0)
    while outcome.registered < keys && now < Self.longest {
      let backlog = keys - outcome.registered - flights.count
      let decision = backlog > 0 && flights.count < workers ? pacer.next(now: now, backlog: backlog) : .awaitReply
      if decision == .send {
        let current = ((Self.epoch + now) / Self.period).rounded(.down)
        if current != window { (window, used) = (current, 0) }
        let isRefused = limit.map { used >= $0 } ?? false
        if !isRefused { used += 1 }
        number += 1
        let answer = Answer(
          number: number, isRefused: isRefused, left: limit.map { $0 - used } ?? 0,
          reset: (current + 1) * Self.period - Self.epoch - now)
        flights.append((pacer.send(now: now), answer, now + Self.roundTrip))
        continue
      }
      var next = flights.first?.at ?? .infinity
      if case .wait(let until) = decision { next = min(next, until) }
      now = next
      while let first = flights.first, first.at <= now {
        flights.removeFirst()
        var reading = wording(first.answer)
        reading.date = (Self.epoch + now).rounded(.down)
        pacer.receive(
          PacedReply(kind: first.answer.isRefused ? .throttled : .answered, reading: reading), for: first.permit,
          now: now)
        guard !first.answer.isRefused else {
          outcome.refused += 1
          continue
        }
        outcome.registered += 1
        outcome.longestGap = max(outcome.longestGap, now - last)
        last = now
      }
    }
    outcome.seconds = min(now, Self.longest)
    outcome.longestGap = max(outcome.longestGap, outcome.seconds - last)
    return outcome
  }
}
