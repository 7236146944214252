// The server's side: counts requests by the scenario's kind of limit, serves the neighbours, and writes its replies
// with the scenario's quirks.

import Foundation
package import RateLimit

package struct ServerReply: Sendable {
  package var status: Int
  /// Whole seconds since 1970.
  package var date: Double
  package var name: String?
  package var limit: Int?
  package var period: Seconds?
  package var remaining: Int?
  /// Seconds, or seconds since 1970.
  package var reset: Double?
  package var retryAfter: (value: Double, isDate: Bool)?
  package var stated: Allowance?
}

package final class SimulatedServer {
  package let scenario: Scenario
  /// Server time at simulated zero.
  package let epoch: Double
  package let phase: Double
  private var random: SeededRandom
  package private(set) var neighbours: [Seconds] = []
  private var nextNeighbour = 0
  package private(set) var neighboursServed = 0
  package private(set) var neighboursRefused = 0
  private var used = 0
  private var previous = 0
  private var usedOfSecond = 0
  private var window: Int?
  /// When a request last opened a window.
  private var opened: Seconds = -.infinity
  private var secondWindow: Int?
  private var log: [Seconds] = []
  private var logStart = 0
  private var tokens: Double
  private var refilledAt: Seconds = 0
  private var history: [(at: Seconds, remaining: Int)] = []
  private var historyStart = 0
  package private(set) var arrivals: [Seconds] = []
  package private(set) var served: [Seconds] = []

  package init(_ scenario: Scenario, seed: UInt64) {
    self.scenario = scenario
    random = SeededRandom(seed: seed &* 7 &+ 1)
    var start = 1.7e9 + random.uniform(0, 86_400)
    let unaligned = random.uniform(0, scenario.period)
    if let edge = scenario.firstEdge {
      start = (start / scenario.period).rounded(.up) * scenario.period - edge
    }
    epoch = start
    phase = scenario.isAligned ? start.truncatingRemainder(dividingBy: scenario.period) : unaligned
    tokens = Double(scenario.limit)
    if let neighbour = scenario.neighbour { invite(neighbour) }
    if scenario.startsExhausted {
      window = index(0 - scenario.lag)
      used = 1_000_000_000
    }
  }

  private func invite(_ neighbour: Scenario.Neighbour) {
    let rate = neighbour.share * Double(scenario.limit) / scenario.period
    let end = min(neighbour.until, scenario.horizon)
    var at = neighbour.from
    guard neighbour.inClumps else {
      while at < end {
        at += random.exponential(mean: 1 / rate)
        neighbours.append(at)
      }
      return
    }
    while at < end {
      at += random.exponential(mean: scenario.period / 3)
      for _ in 0..<Int(rate * scenario.period / 3 * random.uniform(0.3, 1.7)) {
        neighbours.append(at + random.uniform(0, scenario.period / 30))
      }
    }
    neighbours.sort()
  }

  package func index(_ instant: Seconds) -> Int { Int(((instant + phase) / scenario.period).rounded(.down)) }

  package func start(of window: Int) -> Seconds { Double(window) * scenario.period - phase }

  private func limit(_ now: Seconds) -> Int { scenario.changes.isEmpty ? scenario.limit : scenario.limit(at: now) }

  private func roll(_ now: Seconds) {
    switch scenario.kind {
    case .counter:
      let current = index(now)
      if current != window {
        previous = current == (window ?? current) + 1 ? used : 0
        (window, used) = (current, 0)
      }
    case .fixed:
      let current = index(now - scenario.lag)
      if current != window { (window, used) = (current, 0) }
      if let second = scenario.second {
        let current = Int(((now + epoch) / second.period).rounded(.down))
        if current != secondWindow { (secondWindow, usedOfSecond) = (current, 0) }
      }
    case .anchored:
      if now >= opened + scenario.period { (opened, used) = (now, 0) }
    case .sliding:
      while logStart < log.count && log[logStart] <= now - scenario.period { logStart += 1 }
    case .truncating:
      let limit = Double(limit(now))
      tokens = min(limit, tokens + ((now - refilledAt) * limit / scenario.period).rounded(.down))
    case .bucket:
      let limit = Double(limit(now))
      tokens = min(limit, tokens + (now - refilledAt) * limit / scenario.period)
      refilledAt = now
    }
  }

  private func remaining(_ now: Seconds) -> Int {
    switch scenario.kind {
    case .fixed, .anchored: max(0, limit(now) - used)
    case .counter:
      max(0, limit(now) - Int(Double(previous) * (start(of: index(now) + 1) - now) / scenario.period) - used)
    case .sliding: max(0, limit(now) - (log.count - logStart))
    case .bucket, .truncating: Int(tokens)
    }
  }

  package func shownLeft(_ now: Seconds) -> Int { remaining(now) }

  private func take(_ now: Seconds) -> Bool {
    roll(now)
    if let second = scenario.second, usedOfSecond >= second.count { return false }
    guard remaining(now) >= 1 else { return false }
    usedOfSecond += 1
    switch scenario.kind {
    case .fixed, .counter, .anchored: used += 1
    case .sliding: log.append(now)
    case .bucket: tokens -= 1
    case .truncating: (tokens, refilledAt) = (tokens - 1, now)
    }
    return true
  }

  /// Serves the neighbours up to an instant.
  package func advance(to now: Seconds) {
    while nextNeighbour < neighbours.count && neighbours[nextNeighbour] <= now {
      if take(neighbours[nextNeighbour]) { neighboursServed += 1 } else { neighboursRefused += 1 }
      nextNeighbour += 1
    }
  }

  package func handle(at now: Seconds) -> ServerReply {
    advance(to: now)
    arrivals.append(now)
    var reply = ServerReply(status: 201, date: (epoch + now).rounded(.down))
    if scenario.refusals.contains(where: { $0.contains(now) }) {
      reply.status = 403
      return reply
    }
    if random.chance(scenario.edgeThrottles) {
      reply.status = 429
      return reply
    }
    let odd = scenario.odd.flatMap { $0.reply == arrivals.count ? $0.1 : nil }
    if odd?.isRefused == true { roll(now) }
    let passed = odd?.isRefused != true && take(now)
    if !passed && scenario.countsThrottled { used += 1 }
    reply.status = passed ? 201 : 429
    if passed {
      served.append(now)
      if scenario.outages.contains(where: { $0.contains(now) }) { reply.status = 503 }
      if random.chance(scenario.randomErrors) { reply.status = 500 }
    }
    word(&reply, now)
    odd?.word(&reply)
    return reply
  }

  private func word(_ reply: inout ServerReply, _ now: Seconds) {
    let throttled = reply.status == 429
    var (limit, period, left, until) = (limit(now), scenario.period, shown(now), timeLeft(now))
    if let second = scenario.second {
      let leftOfSecond = max(0, second.count - usedOfSecond)
      let tellSecond = throttled ? leftOfSecond == 0 : random.chance(0.5)
      reply.name = tellSecond ? "second" : "first"
      if tellSecond {
        (limit, period, left) = (second.count, second.period, leftOfSecond)
        until = second.period - (now + epoch).truncatingRemainder(dividingBy: second.period)
      }
    }
    if scenario.hasHeaders && !random.chance(scenario.headersDropped) {
      reply.name = reply.name ?? scenario.name
      reply.limit = scenario.tellsLimit ? limit : nil
      reply.period = scenario.tellsPeriod ? period : nil
      reply.remaining = scenario.tellsCount ? left : nil
      reply.reset = scenario.resetForm == .epoch ? rounded(epoch + now + until) : rounded(until)
      if !scenario.tellsReset || throttled && scenario.retryAfterOnly { reply.reset = nil }
      if let odd = scenario.oddReset, arrivals.count == odd.reply {
        reply.reset = scenario.resetForm == .epoch ? rounded(epoch + now + odd.seconds) : odd.seconds
      }
    }
    guard throttled else { return }
    let wait = untilOne(now, full: until)
    switch scenario.retryAfter {
    case .seconds?: reply.retryAfter = (max(0, wait.rounded(.up)), false)
    case .date?: reply.retryAfter = ((epoch + now + wait).rounded(.up), true)
    case nil: break
    }
    if let always = scenario.retryAfterAlways { reply.retryAfter = (always, false) }
    if scenario.statesLimit { reply.stated = Allowance(count: limit, period: period) }
  }

  /// What is left, as a lagging replica may show it.
  private func shown(_ now: Seconds) -> Int {
    let actual = remaining(now)
    guard scenario.stale > 0 else { return actual }
    history.append((now, actual))
    while historyStart + 1 < history.count && history[historyStart + 1].at <= now - scenario.stale { historyStart += 1 }
    let seen = now - random.uniform(0, scenario.stale)
    return history[historyStart...].last { $0.at <= seen }?.remaining ?? actual
  }

  private func timeLeft(_ now: Seconds) -> Seconds {
    switch scenario.kind {
    case .fixed:
      if scenario.lag > 0 && (now + phase).truncatingRemainder(dividingBy: scenario.period) < scenario.lag { return 0 }
      return start(of: index(now) + 1) - now
    case .counter:
      let left = start(of: index(now) + 1) - now
      return previous > 0 ? left.truncatingRemainder(dividingBy: scenario.period / Double(previous)) : left
    case .anchored: return opened + scenario.period - now
    case .sliding:
      return logStart < log.count ? log[logStart] + scenario.period - now : 0
    case .bucket, .truncating:
      let limit = Double(limit(now))
      return (limit - tokens) / (limit / scenario.period)
    }
  }

  /// Seconds until one request can pass: a bucket need not be full.
  private func untilOne(_ now: Seconds, full: Seconds) -> Seconds {
    switch scenario.kind {
    case .bucket, .truncating: full - Double(limit(now) - 1) * scenario.period / Double(limit(now))
    case .fixed, .counter, .anchored, .sliding: full
    }
  }

  private func rounded(_ value: Double) -> Double {
    switch scenario.rounding {
    case .up: value.rounded(.up)
    case .down: value.rounded(.down)
    case .nearest: value.rounded()
    }
  }
}
