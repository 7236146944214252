// Replies that make no sense, in any order: the pacer must neither trap nor stop for good.

import PacingSimulation
import RateLimit
import Testing

@Suite struct HostileReplyTests {
  @Test(arguments: 1...200 as ClosedRange<UInt64>)
  func survivesNonsenseAndGoesOn(_ seed: UInt64) {
    var random = SeededRandom(seed: seed)
    let settings = PacerSettings(
      workers: 1 + Int(random.unit() * 8), reserve: random.chance(0.3) ? .share(random.unit()) : .automatic,
      assume: random.chance(0.3) ? Allowance(count: 1 + Int(random.unit() * 50), period: random.uniform(0, 100)) : nil)
    let start: Seconds = random.uniform(-1e6, 1e6)
    var pacer = Pacer(settings: settings, learned: nil, seed: seed, now: start)
    var permits: [Permit] = []
    var now = start
    var sent = 0
    for _ in 0..<1_500 {
      let backlog = Int(random.unit() * 1_000) + 1
      switch pacer.next(now: now, backlog: backlog) {
      case .send:
        sent += 1
        permits.append(pacer.send(now: now))
      case .wait(let until):
        #expect(until > now)
        // No period is longer than 31 days, and no wait than two of them.
        #expect(until - now <= 2 * 2_678_400 + 3_000)
        if permits.isEmpty { now = until }
      case .awaitReply:
        #expect(!permits.isEmpty)
      }
      let standing = pacer.standing(now: now, backlog: backlog)
      #expect((standing.remaining ?? 0) >= 0 && standing.reserved >= 0)
      #expect((standing.etaSeconds ?? 0) >= 0 && (standing.resetsIn ?? 0) >= 0)
      now += random.pick([0, 0.01, 0.1, 1, 100])
      guard !permits.isEmpty, random.chance(0.7) else { continue }
      let permit = permits.remove(at: Int(random.unit() * Double(permits.count)))
      pacer.receive(random.chance(0.05) ? PacedReply(kind: .unsent) : reply(&random), for: permit, now: now)
    }
    #expect(sent > 10)
    #expect(pacer.learned.limits.count <= 8)
  }

  private func reply(_ random: inout SeededRandom) -> PacedReply {
    let kinds: [PacedReply.Kind] = [
      .answered, .answered, .throttled, .refused, .serverError, .unanswered, .unsent,
    ]
    let counts = [0, 1, 2, 5, 100, 1_000_000_000]
    let spans: [Seconds] = [0.1, 1, 5, 10, 60, 3_600, 2_678_400]
    let reading = RateLimitReading(
      name: random.pick([nil, nil, "a", "b", "c"]),
      limit: random.chance(0.8) ? max(1, random.pick(counts)) : nil,
      period: random.chance(0.8) ? random.pick(spans) : nil,
      remaining: random.chance(0.8) ? random.pick(counts) : nil,
      reset: random.chance(0.8) ? random.pick(spans) * random.unit() : nil,
      retryAfter: random.chance(0.2) ? random.pick(spans) : nil,
      date: random.chance(0.8) ? random.uniform(0, 3e11).rounded() : nil,
      stated: random.chance(0.2) ? Allowance(count: random.pick(counts), period: random.pick(spans)) : nil)
    return PacedReply(kind: random.pick(kinds), reading: random.chance(0.9) ? reading : nil)
  }
}
