// What a simulated daemon does with its keys. The keyreg client asks the pacer; the baselines decide for themselves.

package import RateLimit

package enum ClientDecision {
  case send
  case wait(until: Seconds)
  case awaitReply
}

/// What happens to the key of a request: it is done, it goes back, or its worker keeps it for a while.
package enum Afterwards {
  /// Other keys may be done by the same reply.
  case done(others: Int = 0)
  case requeue
  case hold(Seconds)
}

package protocol SimulatedClient: AnyObject {
  func next(now: Seconds, backlog: Int) -> ClientDecision
  func sent(_ request: Int, now: Seconds)
  /// - Parameter attempt: how often the key was sent before.
  func received(_ reply: ServerReply, for request: Int, attempt: Int, now: Seconds) -> Afterwards
}

/// The pacer, with a stand-in for the daemon's breaker.
package final class KeyregClient: SimulatedClient {
  package var pacer: Pacer
  private var breaker: StandInBreaker
  private var permits: [Int: Permit] = [:]
  private let wall: (Seconds) -> Seconds
  private let readsHeaders: Bool
  /// Requests that were sent although the pacer said that its gate was closed.
  package private(set) var sentIntoClosedGate = 0
  package var checksGate = false
  private var backlog = 0

  /// A real daemon's clock does not start at zero.
  private static let uptime: Seconds = 432_109.8

  package init(_ scenario: Scenario, seed: UInt64, learned: LearnedLimits? = nil, wall: @escaping (Seconds) -> Seconds)
  {
    let settings = PacerSettings(workers: scenario.workers, reserve: scenario.reserve, assume: scenario.assume)
    pacer = Pacer(settings: settings, learned: learned, seed: seed, now: Self.uptime)
    breaker = StandInBreaker(seed: seed)
    readsHeaders = scenario.resetForm == .epoch || scenario.retryAfter == .date
    self.wall = wall
  }

  package func next(now: Seconds, backlog: Int) -> ClientDecision {
    self.backlog = backlog
    if let held = breaker.hold(now: now) { return held }
    switch pacer.next(now: now + Self.uptime, backlog: backlog) {
    case .send: return .send
    case .wait(let until): return .wait(until: until - Self.uptime)
    case .awaitReply: return .awaitReply
    }
  }

  package func sent(_ request: Int, now: Seconds) {
    if checksGate, let opens = standing(now: now, backlog: backlog).opensAt, opens > now + Self.uptime + 1e-6 {
      sentIntoClosedGate += 1
    }
    permits[request] = pacer.send(now: now + Self.uptime)
    breaker.sent(request)
  }

  package func standing(now: Seconds, backlog: Int) -> LimitStanding {
    pacer.standing(now: now + Self.uptime, backlog: backlog)
  }

  package func received(_ reply: ServerReply, for request: Int, attempt: Int, now: Seconds) -> Afterwards {
    let kind: PacedReply.Kind =
      switch reply.status {
      case 429: .throttled
      case 401, 403: .refused
      case 500...: .serverError
      default: .answered
      }
    breaker.received(kind, request, now: now)
    if let permit = permits.removeValue(forKey: request) {
      pacer.receive(PacedReply(kind: kind, reading: reading(reply, now)), for: permit, now: now + Self.uptime)
    }
    return reply.status == 201 ? .done() : .requeue
  }

  private func reading(_ reply: ServerReply, _ now: Seconds) -> RateLimitReading? {
    if readsHeaders {
      return RateLimitReading(headers: HeaderText.headers(reply), body: nil, wallClock: wall(now))
    }
    return RateLimitReading(
      name: reply.name, limit: reply.limit, period: reply.period, remaining: reply.remaining, reset: reply.reset,
      retryAfter: reply.retryAfter?.value, date: reply.date, stated: reply.stated)
  }
}

/// The daemon's answer to outages and refused credentials, with its timing.
struct StandInBreaker {
  private var random: SeededRandom
  private var until: Seconds = 0
  private var isHolding = false
  private var canary: Int?
  private var trips = 0
  private var outcomes: [Bool] = []

  init(seed: UInt64) { random = SeededRandom(seed: seed ^ 0xb4ea) }

  func hold(now: Seconds) -> ClientDecision? {
    guard isHolding else { return nil }
    if now < until { return .wait(until: until) }
    return canary == nil ? nil : .awaitReply
  }

  mutating func sent(_ request: Int) {
    if isHolding { canary = request }
  }

  mutating func received(_ kind: PacedReply.Kind, _ request: Int, now: Seconds) {
    let wasCanary = canary == request
    if wasCanary { canary = nil }
    switch kind {
    case .answered:
      if wasCanary || !isHolding {
        isHolding = false
        trips = 0
      }
      outcomes.append(true)
    case .throttled: break
    case .refused:
      if !isHolding || wasCanary {
        trips += 1
        until = now + min(20, 5 * Double(1 << min(trips - 1, 4))) * random.uniform(1, 1.1)
        isHolding = true
      }
    case .serverError, .unanswered, .unsent:
      outcomes.append(false)
      let failures = outcomes.count { !$0 }
      if wasCanary || (!isHolding && outcomes.count >= 5 && failures * 2 >= outcomes.count) {
        trips += 1
        until = now + min(7.5, 0.5 * Double(1 << min(trips, 6))) * random.uniform(0.5, 1)
        isHolding = true
        outcomes.removeAll()
      }
    }
    if outcomes.count > 20 { outcomes.removeFirst() }
  }
}
