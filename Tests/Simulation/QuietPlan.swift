// Worlds in which nothing happens for a day: knowledge of the API gets old.

package import RateLimit
import Registration

extension Plan {
  /// A list is done at once. 10 to 60 hours later requests are refused for 1 to 30 hours, and another list comes.
  package static func quiet(seed: UInt64) -> Plan {
    var random = SplitMix64(seed: seed ^ 0x9e1e7)
    func list(_ name: String) -> ListPlan {
      ListPlan(name: name, natures: Array(repeating: .good, count: 2 + Int(random.unit() * 20)))
    }
    let first = list("a")
    let from = random.between(10, 60) * 3_600
    let length = random.between(1, 30) * 3_600
    let troubles: [Trouble] = [.forbidden, .denied, .rejected, .unauthorized, .gatewayForbidden, .unavailable]
    let trouble = troubles[Int(random.unit() * 6)]
    var incidents = [
      Incident(at: from, kind: .trouble(trouble, until: from + length, share: 1, wait: 0)),
      Incident(at: from + 1, kind: .deed(.addList(list("b")))),
    ]
    if random.unit() < 0.5 {
      let kill = Deed.kill(.atOnce, down: random.between(0, 600))
      incidents.append(Incident(at: random.between(60, from + length), kind: .deed(kill)))
    }
    incidents.sort { $0.at < $1.at }
    return Plan(
      seed: seed, workers: 1 + Int(random.unit() * 16), maxAttempts: 3, readAhead: 64, assume: nil,
      alarmIsCapped: false,
      latency: 0.1, limit: nil, lists: [first], incidents: incidents, heals: from + length, endsWithNewList: true)
  }

  /// One long list, an API without trouble, and a limit of `shape` that its replies show. The last window is not quite full,
  /// so that one key more or less does not cost a window.
  package static func steady(seed: UInt64, shape: Int) -> Plan {
    var random = SplitMix64(seed: seed)
    let count = 20 + Int(random.unit() * 80)
    let keys = Int(Double(count) * (random.between(5, 9).rounded(.down) + random.between(0.2, 0.8)))
    return Plan(
      seed: seed, workers: 1 + Int(random.unit() * 8), maxAttempts: 3, readAhead: 64, assume: nil, alarmIsCapped: true,
      latency: random.between(0.02, 0.2),
      limit: LimitPlan(
        shape: shape, count: count, period: [10, 60, 300][Int(random.unit() * 3)], hasHeaders: true, neighbours: nil),
      lists: [ListPlan(name: "a", natures: Array(repeating: .good, count: keys))], incidents: [], heals: 1,
      endsWithNewList: false)
  }

  /// Like `steady`, but in the second window the limit becomes `factor` of what it was, and the list goes on for some windows.
  package static func changing(seed: UInt64, shape: Int, factor: Double) -> Plan {
    var plan = steady(seed: seed, shape: shape)
    guard let limit = plan.limit else { return plan }
    var random = SplitMix64(seed: seed ^ 0xc4a)
    var changed = limit
    changed.count = max(2, Int(Double(limit.count) * factor))
    let windows = random.between(5, 9).rounded(.down) + random.between(0.2, 0.8)
    let keys = 2 * limit.count + Int(windows * Double(changed.count))
    plan.lists[0].natures = Array(repeating: .good, count: keys)
    plan.incidents = [Incident(at: random.between(1.5, 2) * limit.period, kind: .limit(changed))]
    plan.heals = plan.incidents[0].at + 1
    return plan
  }

  /// Like `steady`, but the daemon keeps switching between two endpoints, or two pairs of credentials, while requests
  /// are in flight.
  package static func moving(seed: UInt64) -> Plan {
    var plan = steady(seed: seed, shape: Int(seed % 4))
    var random = SplitMix64(seed: seed ^ 0x307e)
    plan.workers = 16
    let times = (0..<12).map { _ in random.between(0, 3) * (plan.limit?.period ?? 0) }
    plan.incidents = times.sorted().map { Incident(at: $0, kind: .deed(.reload(isNew: true))) }
    plan.heals = (times.max() ?? 0) + 1
    return plan
  }

  /// The first change of the limit.
  package var change: (old: LimitPlan, new: LimitPlan, at: Seconds)? {
    guard limits.count > 1, let old = limits[0].limit, let new = limits[1].limit else { return nil }
    return (old, new, limits[1].from)
  }
}
