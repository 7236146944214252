// The shortest time in which a clairvoyant could do the job, with the neighbours served first.

import RateLimit

struct Optimum {
  let scenario: Scenario
  let server: SimulatedServer
  /// Requests a second that all workers together can send.
  private let service: Double
  private let latency: Seconds
  private let blocked: [ClosedRange<Seconds>]

  init(_ server: SimulatedServer) {
    scenario = server.scenario
    self.server = server
    latency = SimulatedNetwork.mean(scenario)
    service = Double(scenario.workers * scenario.daemons) / latency
    blocked = (scenario.outages + scenario.refusals).sorted { $0.lowerBound < $1.lowerBound }
  }

  func time() -> Seconds {
    if let second = scenario.second { return time(with: second) }
    var need = Double(scenario.keys) / (1 - scenario.randomErrors)
    let limit = Double(scenario.limit)
    switch scenario.kind {
    case .sliding:
      if limit / service >= scenario.period { return finish(0, need) }
      let full = (need / limit).rounded(.up) - 1
      return finish(full * scenario.period, need - full * limit)
    case .counter:
      return max(server.start(of: server.index(0) + 1) + (need - limit) / (limit / scenario.period), need / service)
        + latency
    case .bucket:
      return max((need - limit) / (limit / scenario.period), need / service) + latency
    case .fixed: break
    }
    var demand: [Int: Int] = [:]
    for arrival in server.neighbours { demand[server.index(arrival), default: 0] += 1 }
    var window = server.index(0)
    let exhausted = scenario.startsExhausted ? window : nil
    while true {
      let begin = server.start(of: window)
      let start = max(0, begin + (begin > 0 ? scenario.lag : 0))
      let end = server.start(of: window + 1)
      let free = Double(max(0, granted(start, end) - (demand[window] ?? 0)))
      let slots = usable(start, end) * service + (start == 0 ? Double(scenario.workers * scenario.daemons) : 0)
      let available = window == exhausted ? 0 : min(free, slots)
      if available >= need { return finish(start, need) }
      need -= available
      window += 1
      if window > 1_000_000 { return .infinity }
    }
  }

  /// The same for two limits whose windows are aligned to the calendar, the second's a multiple of the first's.
  private func time(with second: Allowance) -> Seconds {
    var need = Double(scenario.keys)
    var (left, until) = (Double(second.count), -server.epoch.truncatingRemainder(dividingBy: second.period))
    var window = server.index(0)
    while true {
      let (start, end) = (max(0, server.start(of: window)), server.start(of: window + 1))
      if start >= until - 0.001 { (left, until) = (Double(second.count), until + second.period) }
      let slots = (end - start) * service + (start == 0 ? Double(scenario.workers) : 0)
      let available = min(Double(scenario.limit), left, slots)
      if available >= need { return finish(start, need) }
      need -= available
      left -= available
      window += 1
    }
  }

  private func granted(_ start: Seconds, _ end: Seconds) -> Int {
    var limit = scenario.limit(at: start)
    for change in scenario.changes where start < change.at && change.at < end && change.limit > limit {
      limit = min(change.limit, limit + Int(service * (end - change.at)))
    }
    return limit
  }

  private func usable(_ start: Seconds, _ end: Seconds) -> Seconds {
    max(0, blocked.reduce(end - start) { $0 - max(0, min(end, $1.upperBound) - max(start, $1.lowerBound)) })
  }

  private func finish(_ start: Seconds, _ requests: Double) -> Seconds {
    var (time, left) = (start, requests / service)
    for span in blocked where span.upperBound > time {
      if time + left <= span.lowerBound { break }
      left -= max(0, span.lowerBound - time)
      time = max(time, span.upperBound)
    }
    return time + left + latency
  }
}
