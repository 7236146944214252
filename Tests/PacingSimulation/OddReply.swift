// One reply that is not like the others: a proxy wrote it, or it is about something else. A list of them, and of what the
// other replies tell, to see which of them costs how much.

package import RateLimit

/// What one reply says in place of the truth.
package enum OddReply: Hashable, Sendable {
  case limit(Int)
  case period(Seconds)
  case remaining(Int)
  case reset(Seconds)
  case name(String)
  /// All of another limit, of which nothing is left.
  case otherLimit(Allowance, isRefused: Bool)
  /// A 429 that has nothing but a Retry-After, if it has one. The request is not counted.
  case refusal(retryAfter: Seconds?)

  package static let all: [OddReply] =
    [1, 10, 99, 1_000, 1_000_000].map(OddReply.limit) + [1, 60, 3_600, 86_400].map(OddReply.period)
    + [0, 1, 1_000].map(OddReply.remaining) + [0, 1, 61, 3_000, 86_400].map(OddReply.reset) + [.name("other")]
    + [false, true].map { .otherLimit(Allowance(count: 100, period: 3_600), isRefused: $0) }
    + [nil, 1, 60, 687, 3_000].map(OddReply.refusal)

  package var isRefused: Bool {
    switch self {
    case .refusal, .otherLimit(_, isRefused: true): true
    default: false
    }
  }

  /// Seconds for which a refusal asks to wait.
  var asksFor: Seconds {
    switch self {
    case .refusal(let wait): wait ?? 0
    case .otherLimit(let limit, isRefused: true): limit.period
    default: 0
    }
  }

  /// Changes what the reply says. Of what other replies do not tell, an odd one tells nothing either, unless it is about
  /// another limit.
  func word(_ reply: inout ServerReply) {
    switch self {
    case .limit(let limit): if reply.limit != nil { reply.limit = limit }
    case .period(let period): if reply.period != nil { reply.period = period }
    case .remaining(let remaining): if reply.remaining != nil { reply.remaining = remaining }
    case .reset(let reset): if reply.reset != nil { reply.reset = reset }
    case .name(let name): if reply.remaining != nil { reply.name = name }
    case .otherLimit(let other, _):
      (reply.limit, reply.period, reply.remaining, reply.reset) = (other.count, other.period, 0, other.period - 1)
    case .refusal(let wait):
      (reply.limit, reply.period, reply.remaining, reply.reset, reply.name) = (nil, nil, nil, nil, nil)
      reply.retryAfter = wait.map { ($0, false) }
    }
  }
}

extension Scenario {
  /// The headers of all other replies.
  package enum Headers: String, CaseIterable, Sendable {
    /// The vendor's.
    case full = "all"
    /// Draft 8 with a policy.
    case named = "all, named"
    /// Drafts 6 and 7 without a policy, and draft 3.
    case noPeriod = "Limit, Remaining, Reset"
    /// Draft 8 without a policy.
    case noLimit = "Name, Remaining, Reset"
    case count = "Limit, Remaining"
    case reset = "Reset"
    case retryAfter = "Retry-After on 429"
    case nothing = "none"
  }

  /// 100 in 10 s, of which nothing is left to others.
  package static func odd(_ odd: OddReply?, at reply: Int, among headers: Headers, isAligned: Bool = true) -> Scenario {
    Scenario("", headers.rawValue) {
      ($0.limit, $0.period, $0.keys, $0.workers, $0.latency, $0.reserve) = (100, 10, 350, 16, 0.06, .share(0))
      $0.isAligned = isAligned
      $0.horizon = 9_000
      $0.odd = odd.map { (reply, $0) }
      $0.hasHeaders = headers != .retryAfter && headers != .nothing
      $0.tellsLimit = headers != .noLimit && headers != .reset
      $0.tellsPeriod = headers == .full || headers == .named
      $0.tellsCount = headers != .reset
      $0.tellsReset = headers != .count
      $0.name = headers == .named || headers == .noLimit ? "default" : nil
      $0.retryAfter = headers == .retryAfter ? .seconds : nil
    }
  }
}

/// What an odd reply costs: the same run with it and without.
package struct OddRun: Sendable {
  package let headers: Scenario.Headers
  package let reply: Int
  package let odd: OddReply
  /// Means over the seeds: the time in multiples of the time without it, and the refusals more than without it.
  package let time: Double
  package let refusals: Double

  package init(_ odd: OddReply, at reply: Int, among headers: Scenario.Headers, seeds: ClosedRange<UInt64>) {
    (self.headers, self.reply, self.odd) = (headers, reply, odd)
    let pairs = seeds.map { seed in
      let runs = [nil, odd].map { odd in
        Simulation.keyreg(Scenario.odd(odd, at: reply, among: headers, isAligned: seed % 3 > 0), seed: seed)
      }
      return (runs[0], runs[1])
    }
    // Nothing contradicts a refusal where other replies tell nothing: it must be obeyed.
    let obeyed = headers == .reset || headers == .retryAfter || headers == .nothing ? odd.asksFor : 0
    time = pairs.reduce(0) { $0 + ($1.1.time - obeyed) / $1.0.time } / Double(pairs.count)
    refusals = pairs.reduce(0) { $0 + Double($1.1.throttled - $1.0.throttled) } / Double(pairs.count)
  }

  /// Whether it costs more than a seventh of the time or more than three refusals.
  package var isDear: Bool { time > 1.15 || refusals > 3 }
}
