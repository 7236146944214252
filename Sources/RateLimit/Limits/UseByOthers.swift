// Requests of others in a sliding window, as far as counts that ours do not explain show them: smoothed, and halved in
// half a period, since nobody says when they were sent.

struct UseByOthers: Sendable {
  private var requests = 0.0
  private var at: Seconds

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

  init(now: Seconds) { at = now }

  /// Halved in each half-life, roughly (x = 1: 0.50, 2: 0.28, 4: 0.12).
  func use(at now: Seconds, _ allowance: Allowance) -> Double {
    let halves = (now - at) / (Self.halfLife * allowance.period)
    return requests / (1 + halves * Self.linear + halves * halves * Self.quadratic)
  }

  /// The same in whole requests.
  func requests(at now: Seconds, _ allowance: Allowance) -> Int { Int(clamping: use(at: now, allowance) + 0.5) }

  /// A reply shows that this many are not ours.
  mutating func see(_ count: Int, _ allowance: Allowance, at now: Seconds) {
    let (weight, seen) = Double(count) > Self.noise ? (Self.believed, Double(count)) : (Self.forgotten, 0)
    requests = (1 - weight) * use(at: now, allowance) + weight * seen
    at = now
  }

  /// A request was refused that should have passed.
  mutating func refused(_ allowance: Allowance, at now: Seconds) {
    let more = max(Self.refusedTokens, Self.refusedShare * allowance.tokens)
    requests = min(allowance.tokens - 1, use(at: now, allowance) + more)
    at = now
  }
}
