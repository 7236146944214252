// The shortest time in which a clairvoyant client could do the job, with the neighbours served first.

import RateLimit

struct Optimum {
  let scenario: Scenario
  let server: SimulatedServer
  /// Requests per second that all workers together can send.
  private let service: Double
  private let latency: Seconds
  private let blocked: [ClosedRange<Seconds>]

  /// Runs over which random values are averaged.
  private static let draws = 10

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
    let gap = scenario.period / limit
    switch scenario.kind {
    case .sliding, .anchored:
      if limit / service >= scenario.period { return finish(0, need) }
      let full = (need / limit).rounded(.up) - 1
      return finish(full * scenario.period, need - full * limit)
    case .counter:
      return max(server.start(of: server.index(0) + 1) + (need - limit) * gap, need / service)
        + lastReply(of: need - limit, every: gap)
    case .bucket, .truncating:
      return max((need - limit) * gap, need / service) + lastReply(of: need - limit, every: gap)
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
      let slots = start == 0 ? arrivals(by: end) : usable(start, end) * service
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
    return time + left + lastReply(of: requests)
  }

  /// Requests that reach the server before an instant when all workers start at zero. A first window of a few
  /// milliseconds is over before any arrives.
  private func arrivals(by end: Seconds) -> Double {
    var network = SimulatedNetwork(scenario, seed: 2)
    var count = 0
    for _ in 0..<Self.draws {
      var (free, ofRun) = (workers(), 0)
      while ofRun < scenario.limit, let (at, _) = free.pop(), at < end {
        let (there, back) = network.draw()
        if at + there < end { ofRun += 1 }
        free.push((), at: at + there + back)
      }
      count += ofRun
    }
    let most = usable(0, end) * service + Double(scenario.workers * scenario.daemons)
    return min(most, Double(count) / Double(Self.draws))
  }

  /// Seconds from when the last of these requests goes, if all take the mean time, to the last reply. One slow reply
  /// among the last ones is enough, and no client can prevent it.
  ///
  /// - Parameter gap: Seconds between two requests; 0 when only the workers limit them.
  private func lastReply(of requests: Double, every gap: Seconds = 0) -> Seconds {
    let count = max(1, Int(requests))
    var network = SimulatedNetwork(scenario, seed: 3)
    var sum: Seconds = 0
    for _ in 0..<Self.draws {
      var (free, end) = (workers(), 0.0)
      for index in 0..<count {
        guard let (at, _) = free.pop() else { break }
        let (there, back) = network.draw()
        let done = max(at, Double(index) * gap) + there + back
        end = max(end, done)
        free.push((), at: done)
      }
      sum += end
    }
    return sum / Double(Self.draws) - max(Double(count - 1) * gap, requests / service)
  }

  private func workers() -> EventQueue<Void> {
    var free = EventQueue<Void>()
    for _ in 0..<scenario.workers * scenario.daemons { free.push((), at: 0) }
    return free
  }
}
