// The run: a virtual clock, an event queue, one server, and one or more clients with their workers.

package import RateLimit

package struct SimulationResult: Sendable {
  package var time: Seconds = 0
  package var optimum: Seconds = 0
  package var succeeded = 0
  package var isDone = false
  package var throttled = 0
  package var refused = 0
  package var errors = 0
  /// Keys that a client with three retries would have dropped.
  package var dropped = 0
  /// Keys that are neither done nor waiting: there must be none.
  package var lost = 0
  /// Per cent of the neighbours' requests refused because of us.
  package var harm: Double = 0
  /// Our successes as a share of what neighbours left, over the whole windows before the last.
  package var use: Double?
  package var firstSecond: Int?
  package var fairness: Double?
  /// The largest number of our arrivals in 100 ms.
  package var herd = 0
  package var recovery: Seconds?
  package var sentIntoClosedGate = 0
  /// How often a client was told to wait: must stay in proportion to the requests.
  package var turns = 0

  package var efficiency: Double { isDone ? optimum / time : 0 }
  package var throttledPerThousand: Double { 1_000 * Double(throttled) / Double(max(1, succeeded)) }
}

package final class Simulation {
  private enum Event {
    case timer(client: Int)
    case arrival(client: Int, request: Int, back: Seconds)
    case reply(client: Int, request: Int, ServerReply)
    case resume(client: Int, attempts: Int)
  }

  private final class Station {
    let client: any SimulatedClient
    let total: Int
    var fresh: Int
    /// Attempts of the keys that came back, last in first out.
    var returned: [Int] = []
    /// Attempts of the keys whose workers stayed with them.
    var held: [Int] = []
    var resting = 0
    var free: Int
    var timer: Seconds = .infinity
    var attempts: [Int: Int] = [:]
    var successes: [Seconds] = []
    var doneAt: Seconds?

    init(_ client: any SimulatedClient, keys: Int, workers: Int) {
      self.client = client
      total = keys
      fresh = keys
      free = workers
    }

    var backlog: Int { fresh + returned.count + held.count }
  }

  private let scenario: Scenario
  package let server: SimulatedServer
  private var network: SimulatedNetwork
  private var stations: [Station] = []
  private var queue = EventQueue<Event>()
  private var requests = 0
  private var result = SimulationResult()
  private let seed: UInt64
  /// Called with the time, the client's index, the keys not done and the status; for tests that watch a run.
  package var onReply: ((Seconds, Int, Int, Int) -> Void)?

  package init(
    _ scenario: Scenario, seed: UInt64,
    client: (Int, @escaping (Seconds) -> Seconds) -> any SimulatedClient
  ) {
    self.scenario = scenario
    self.seed = seed
    server = SimulatedServer(scenario, seed: seed)
    network = SimulatedNetwork(scenario, seed: seed)
    let (epoch, skew) = (server.epoch, scenario.skew)
    for index in 0..<scenario.daemons {
      stations.append(
        Station(
          client(index) { epoch + $0 + skew }, keys: scenario.keys / scenario.daemons, workers: scenario.workers))
    }
  }

  package static func keyreg(_ scenario: Scenario, seed: UInt64, checksGate: Bool = false) -> SimulationResult {
    Simulation(scenario, seed: seed) { index, wall in
      let client = KeyregClient(scenario, seed: seed &* 31 &+ UInt64(index), wall: wall)
      client.checksGate = checksGate
      return client
    }.run()
  }

  package func run() -> SimulationResult {
    for index in stations.indices {
      queue.push(.timer(client: index), at: 0)
      stations[index].timer = 0
    }
    var now: Seconds = 0
    while let (at, event) = queue.pop() {
      now = at
      if now > scenario.horizon || result.turns > 300 * scenario.keys || stations.allSatisfy({ $0.doneAt != nil }) {
        break
      }
      switch event {
      case .arrival(let client, let request, let back):
        queue.push(.reply(client: client, request: request, server.handle(at: now)), at: now + back)
      case .timer(let client):
        guard stations[client].timer == now else { continue }
        stations[client].timer = .infinity
        dispatch(client, now)
      case .resume(let client, let attempts):
        stations[client].resting -= 1
        stations[client].held.append(attempts)
        dispatch(client, now)
      case .reply(let client, let request, let reply):
        receive(client, request, reply, now)
        dispatch(client, now)
      }
    }
    return measured(at: now)
  }

  private func dispatch(_ index: Int, _ now: Seconds) {
    let station = stations[index]
    while !station.held.isEmpty || (station.free > 0 && station.fresh + station.returned.count > 0) {
      switch station.client.next(now: now, backlog: station.backlog) {
      case .awaitReply: return
      case .wait(let until):
        // A wait that does not advance the clock would spin for ever.
        let until = max(until, now + 1e-6)
        result.turns += 1
        if until < station.timer {
          station.timer = until
          queue.push(.timer(client: index), at: until)
        }
        return
      case .send:
        var attempts = 0
        if let held = station.held.popLast() {
          attempts = held
        } else {
          station.free -= 1
          if let returned = station.returned.popLast() { attempts = returned } else { station.fresh -= 1 }
        }
        requests += 1
        station.attempts[requests] = attempts
        station.client.sent(requests, now: now)
        let (there, back) = network.draw()
        queue.push(.arrival(client: index, request: requests, back: back), at: now + there)
      }
    }
  }

  private func receive(_ index: Int, _ request: Int, _ reply: ServerReply, _ now: Seconds) {
    let station = stations[index]
    let attempts = station.attempts.removeValue(forKey: request) ?? 0
    let afterwards = station.client.received(reply, for: request, attempt: attempts, now: now)
    switch reply.status {
    case 201: break
    case 429: result.throttled += 1
    case 403: result.refused += 1
    default: result.errors += 1
    }
    switch afterwards {
    case .done(let others):
      station.successes += Array(repeating: now, count: 1 + others)
      for _ in 0..<others { if station.returned.popLast() == nil { station.fresh -= 1 } }
      station.free += 1
      if station.successes.count == station.total { station.doneAt = now }
      if result.recovery == nil, let end = scenario.outages.last?.upperBound, now > end {
        result.recovery = now - end
      }
    case .requeue:
      if attempts == 3 { result.dropped += 1 }
      station.free += 1
      station.returned.append(attempts + 1)
    case .hold(let seconds):
      if attempts == 3 { result.dropped += 1 }
      station.resting += 1
      queue.push(.resume(client: index, attempts: attempts + 1), at: now + seconds)
    }
    onReply?(now, index, station.total - station.successes.count, reply.status)
  }

  private func measured(at now: Seconds) -> SimulationResult {
    server.advance(to: now)
    result.succeeded = stations.reduce(0) { $0 + $1.successes.count }
    result.isDone = stations.allSatisfy { $0.doneAt != nil }
    result.time = stations.map { $0.doneAt ?? scenario.horizon }.max() ?? 0
    result.optimum = Optimum(server).time()
    result.lost = stations.reduce(0) {
      $0 + $1.total - $1.successes.count - $1.backlog - $1.attempts.count - $1.resting
    }
    let demand = server.neighboursServed + server.neighboursRefused
    if demand > 0 {
      let alone = SimulatedServer(scenario, seed: seed)
      alone.advance(to: now)
      result.harm = 100 * Double(server.neighboursRefused - alone.neighboursRefused) / Double(demand)
    }
    if stations.count > 1 {
      let first = stations.map { $0.doneAt ?? scenario.horizon }.min() ?? 0
      let shares = stations.map { station in Double(station.successes.count { $0 <= first }) }
      result.fairness = (shares.min() ?? 0) / max(1, shares.max() ?? 1)
    }
    result.sentIntoClosedGate = stations.reduce(0) {
      $0 + (($1.client as? KeyregClient)?.sentIntoClosedGate ?? 0)
    }
    if scenario.kind == .fixed { measureWindows() }
    var bursts: [Int: Int] = [:]
    for arrival in server.arrivals { bursts[Int(arrival * 10), default: 0] += 1 }
    result.herd = bursts.values.max() ?? 0
    return result
  }

  private func measureWindows() {
    let (first, last) = (server.index(0), server.index(result.time))
    var early: [Int: Int] = [:]
    for arrival in server.arrivals {
      let window = server.index(arrival)
      if window != first && window != last && arrival - server.start(of: window) <= 1 { early[window, default: 0] += 1 }
    }
    result.firstSecond = early.values.max() ?? 0
    guard last > first + 1 else { return }
    var (own, demand) = ([Int: Int](), [Int: Int]())
    for instant in server.served { own[server.index(instant), default: 0] += 1 }
    for arrival in server.neighbours { demand[server.index(arrival), default: 0] += 1 }
    var (taken, left) = (0, 0)
    for window in first + 1..<last {
      taken += own[window] ?? 0
      left += max(0, scenario.limit(at: server.start(of: window) + 0.01) - (demand[window] ?? 0))
    }
    result.use = left > 0 ? Double(taken) / Double(left) : nil
  }
}

/// A binary heap of events by time; events at the same time keep their order.
struct EventQueue<Event> {
  private var heap: [(at: Double, order: Int, event: Event)] = []
  private var pushed = 0

  mutating func push(_ event: Event, at instant: Double) {
    pushed += 1
    heap.append((instant, pushed, event))
    var child = heap.count - 1
    while child > 0 {
      let parent = (child - 1) / 2
      guard precedes(child, parent) else { break }
      heap.swapAt(child, parent)
      child = parent
    }
  }

  mutating func pop() -> (Double, Event)? {
    guard let first = heap.first else { return nil }
    let last = heap.removeLast()
    if !heap.isEmpty {
      heap[0] = last
      var parent = 0
      while true {
        var least = 2 * parent + 1
        guard least < heap.count else { break }
        if least + 1 < heap.count && precedes(least + 1, least) { least += 1 }
        guard precedes(least, parent) else { break }
        heap.swapAt(least, parent)
        parent = least
      }
    }
    return (first.at, first.event)
  }

  private func precedes(_ left: Int, _ right: Int) -> Bool {
    heap[left].at != heap[right].at ? heap[left].at < heap[right].at : heap[left].order < heap[right].order
  }
}
