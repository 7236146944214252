// The API and anything in front of it: the reply to a request that arrives now.

import PacingSimulation
import RateLimit
import Registration
import RegistrationCore

struct ModelAPI {
  struct Reply {
    var verdict: Verdict
    var paced: PacedReply
    /// Seconds in addition to the network's.
    var delay: Seconds = 0
  }

  private let plan: Plan
  /// Each server and when it starts. Requests arrive in order.
  private var servers: ArraySlice<(from: Seconds, server: SimulatedServer?)>
  private var arrivals: UInt64 = 0
  private var firstAsked: [Int64: Seconds] = [:]
  /// Keys that it has registered.
  private(set) var registered: Set<Int64> = []
  /// The lasting troubles of keys are gone.
  var isHealed = false

  /// The client's time-out, in seconds.
  static let timeout: Seconds = 30

  init(_ plan: Plan, endpoint: Int) {
    self.plan = plan
    servers = Self.servers(of: plan, seed: plan.seed &+ UInt64(endpoint) &* 0x0e4d)[...]
  }

  /// A changed count keeps what was used; another way of counting starts over.
  private static func servers(of plan: Plan, seed: UInt64) -> [(from: Seconds, server: SimulatedServer?)] {
    var scenarios: [(from: Seconds, limit: LimitPlan?, scenario: Scenario?)] = []
    for (from, limit) in plan.limits {
      if let limit, let last = scenarios.last, last.limit?.counts(as: limit) == true {
        scenarios[scenarios.count - 1].scenario?.changes.append((from, limit.count))
      } else {
        scenarios.append((from, limit, limit.map { scenario(of: $0, from: from, in: plan) }))
      }
    }
    return scenarios.map { one in (one.from, one.scenario.map { SimulatedServer($0, seed: seed) }) }
  }

  private static func scenario(of limit: LimitPlan, from: Seconds, in plan: Plan) -> Scenario {
    Scenario("D", "limit of a daemon's run") { scenario in
      scenario.kind = [.fixed, .sliding, .bucket, .counter][limit.shape]
      scenario.limit = limit.count
      scenario.period = limit.period
      scenario.hasHeaders = limit.hasHeaders
      scenario.retryAfter = plan.seed % 3 == 0 ? .seconds : nil
      scenario.horizon = plan.heals
      scenario.neighbour = limit.neighbours.map { Scenario.Neighbour(share: $0, from: from) }
    }
  }

  mutating func reply(to row: Int64, _ nature: Nature, now: Seconds) -> Reply {
    arrivals += 1
    var delay: Seconds = 0
    for (index, incident) in plan.incidents.enumerated() {
      guard incident.at <= now, case .trouble(let trouble, let until, let share, let wait) = incident.kind, now < until,
        SplitMix64.unit(of: plan.seed, UInt64(index), arrivals) < share
      else { continue }
      if trouble == .slow {
        delay = 45 * SplitMix64.unit(of: plan.seed, arrivals, 3)
      } else if let reply = self.reply(trouble, wait: wait, row: row) {
        return reply
      }
    }
    let reply = answer(row, nature, now: now)
    guard delay > Self.timeout else { return Reply(verdict: reply.verdict, paced: reply.paced, delay: delay) }
    return lost
  }

  private var lost: Reply {
    Reply(
      verdict: .unanswered(title: "Timed out", detail: nil), paced: PacedReply(kind: .unanswered), delay: Self.timeout)
  }

  private mutating func reply(_ trouble: Trouble, wait: Seconds, row: Int64) -> Reply? {
    let after = RateLimitReading(retryAfter: wait)
    switch trouble {
    case .throttled: return Reply(verdict: .throttled, paced: PacedReply(kind: .throttled))
    case .throttledFor: return Reply(verdict: .throttled, paced: PacedReply(kind: .throttled, reading: after))
    case .serverError: return unsettled(500, "Internal Server Error")
    case .unavailable: return unsettled(503, "Service Unavailable")
    case .unavailableFor: return unsettled(503, "Service Unavailable", after)
    case .gatewayPage: return unsettled(404, "Not Found")
    case .gatewayForbidden: return unsettled(403, "Forbidden")
    case .wrongBody:
      return Reply(
        verdict: .unsettled(status: 200, title: "Unexpected answer", detail: nil), paced: PacedReply(kind: .answered))
    case .unauthorized: return Reply(verdict: .unauthorized(detail: nil), paced: PacedReply(kind: .refused))
    case .forbidden: return forbidden
    case .denied: return denied(404, "app key not found")
    case .rejected: return denied(422, "new rule")
    case .redirected: return redirected
    case .silent:
      // Half of them arrive.
      if arrivals % 2 == 0 { registered.insert(row) }
      return lost
    case .unreachable:
      return Reply(verdict: .unanswered(title: "Cannot connect", detail: nil), paced: PacedReply(kind: .unsent))
    case .staleConnection: return Reply(verdict: .stale, paced: PacedReply(kind: .unanswered))
    case .slow, .diskRefusesKeys, .diskRefusesResults, .diskIsSlow: return nil
    }
  }

  /// The API's own answer.
  private mutating func answer(_ row: Int64, _ nature: Nature, now: Seconds) -> Reply {
    var reading: RateLimitReading?
    while let next = servers.dropFirst().first, next.from <= now { servers.removeFirst() }
    if let reply = servers.first?.server?.handle(at: now) {
      reading = RateLimitReading(
        name: reply.name, limit: reply.limit, period: reply.period, remaining: reply.remaining, reset: reply.reset,
        retryAfter: reply.retryAfter?.value, date: reply.date, stated: reply.stated)
      if reply.status == 429 {
        return Reply(verdict: .throttled, paced: PacedReply(kind: .throttled, reading: reading))
      }
    }
    let first = firstAsked[row] ?? now
    firstAsked[row] = first
    switch nature {
    case .unknown: return denied(404, "app key not found", reading)
    case .invalid: return denied(422, "not a key of a user", reading)
    case .knownLate where now < first + 25: return denied(404, "app key not found", reading)
    case .forbidden where !isHealed || plan.endsWithNewList: return forbidden
    case .broken where !isHealed: return unsettled(500, "Internal Server Error", reading)
    case .unauthorized where !isHealed:
      return Reply(verdict: .unauthorized(detail: nil), paced: PacedReply(kind: .refused))
    case .redirected where !isHealed: return redirected
    case .gatewayForbidden where !isHealed: return unsettled(403, "Forbidden", reading)
    default:
      let status = registered.insert(row).inserted ? 201 : 200
      return Reply(verdict: .registered(status: status), paced: PacedReply(kind: .answered, reading: reading))
    }
  }

  private func unsettled(_ status: Int, _ title: String, _ reading: RateLimitReading? = nil) -> Reply {
    Reply(
      verdict: .unsettled(status: status, title: title, detail: nil),
      paced: PacedReply(kind: .serverError, reading: reading))
  }

  private func denied(_ status: Int, _ title: String, _ reading: RateLimitReading? = nil) -> Reply {
    Reply(
      verdict: .failed(status: status, title: title, detail: nil), paced: PacedReply(kind: .answered, reading: reading))
  }

  private var forbidden: Reply {
    Reply(verdict: .forbidden(title: "Forbidden", detail: nil), paced: PacedReply(kind: .refused))
  }

  private var redirected: Reply {
    Reply(
      verdict: .misdirected(status: 302, title: "Redirected", detail: nil), paced: PacedReply(kind: .serverError))
  }
}
