// Swarm style: each seed enables a random subset of faults, so that any two meet in some run.

import Foundation
import PacingSimulation
package import RateLimit
import Registration

extension Plan {
  /// - Parameter longest: Seconds within which the world heals.
  package init(seed: UInt64, longest: Seconds = .infinity) {
    var random = SeededRandom(seed: seed)
    let lengths: [Seconds] = [60, 600, 600, 3_600, 3_600, 21_600, 86_400, 260_000]
    let heals = random.pick(lengths.filter { $0 <= longest }) * random.uniform(0.5, 1)
    let kinds = Self.natures(&random)
    let share = random.pick([0, 0.05, 0.3])
    var names = 0
    func list(_ random: inout SeededRandom) -> ListPlan {
      let count = Int(Self.exponential(&random, 1, random.chance(0.1) ? 400 : 60))
      // Another organisation's, now and then.
      let isForeign = random.chance(0.1)
      names += 1
      // Names are not in the order of arrival.
      return ListPlan(
        name: "\(random.pick(["a", "m", "z"]))\(names)",
        natures: (0..<count).map { _ in
          isForeign ? .unknown : random.chance(share) ? random.pick(kinds) : .good
        })
    }
    let lists = (0..<(1 + Int(random.unit() * 3))).map { _ in list(&random) }
    var incidents: [Incident] = []
    for trouble in Trouble.allCases where random.chance(0.2) {
      for _ in 0..<(1 + Int(random.unit() * 3)) {
        let from = random.chance(0.3) ? random.uniform(0, min(20, heals)) : random.uniform(0, heals)
        let length = Self.exponential(&random, 0.05, heals)
        let share = random.pick([1, 1, 0.5, 0.1])
        incidents.append(
          Incident(
            at: from,
            kind: .trouble(
              trouble, until: min(from + length, heals), share: trouble == .staleConnection ? share * 0.3 : share,
              wait: Self.exponential(&random, 1, 5_000).rounded())))
      }
    }
    func add(_ chance: Double, _ most: Int, _ random: inout SeededRandom, _ deed: (inout SeededRandom) -> Deed) {
      guard random.chance(chance) else { return }
      for at in Self.times(&random, most, before: heals) {
        incidents.append(Incident(at: at, kind: .deed(deed(&random))))
      }
    }
    func atCommit(_ deed: Deed, _ random: inout SeededRandom) -> Deed {
      random.chance(0.4) ? .atNextCommit(deed) : deed
    }
    add(0.4, 8, &random) { .kill($0.pick(KillPoint.allCases), down: $0.pick([0, 0.5, 5, 300])) }
    add(0.2, 3, &random) { .restart(down: $0.pick([0, 1, 60])) }
    add(0.2, 2, &random) { _ in .pause }
    add(0.3, 3, &random) { _ in .resume }
    add(0.2, 3, &random) { _ in .reload(isNew: false) }
    add(0.2, 3, &random) { _ in .reload(isNew: true) }
    add(0.1, 2, &random) { _ in .believe }
    add(0.2, 2, &random) { atCommit(.cancel(list: Int($0.next() % 4)), &$0) }
    add(0.3, 4, &random) { atCommit(.retry(.all), &$0) }
    add(0.1, 2, &random) { .setClock(by: $0.uniform(-90_000, 90_000)) }
    add(0.4, 3, &random) { random in
      var plan = list(&random)
      if random.chance(0.5) { plan.shared = (0..<Int(random.unit() * 20)).map { _ in random.unit() } }
      plan.isForced = random.chance(0.3)
      return atCommit(.addList(plan), &random)
    }
    self.init(
      seed: seed, workers: random.pick([1, 2, 4, 16, 64]), maxAttempts: random.pick([1, 2, 3, 8]),
      readAhead: random.pick([16, 64, 256]),
      assume: random.chance(0.3) ? Allowance(count: 1_000_000, period: 1) : nil, alarmIsCapped: random.chance(0.5),
      latency: Self.exponential(&random, 0.005, 0.5), limit: Self.limit(&random, heals: heals), lists: lists,
      incidents: incidents, heals: heals, endsWithNewList: random.chance(0.5))
    addLimits()
    addTerms()
    addRetries()
    self.incidents.sort { $0.at < $1.at }
  }

  /// The API's limit is raised, cut, counted in another way, dropped or introduced in mid-run.
  private mutating func addLimits() {
    // A separate generator, so that the rest of the plan does not change.
    var random = SeededRandom(seed: seed ^ 0x11317)
    guard random.chance(0.3) else { return }
    let times = (0..<(1 + Int(random.unit() * 3))).map { _ in
      random.chance(0.5) ? random.uniform(0, min(300, heals)) : random.uniform(0, heals)
    }
    var last = limit
    for at in times.sorted() {
      switch (last, random.unit()) {
      case (let old?, ..<0.35): last?.count = old.count * 4
      case (let old?, ..<0.7): last?.count = max(2, old.count / 3)
      default: last = Self.limit(&random, heals: heals)
      }
      incidents.append(Incident(at: at, kind: .limit(last)))
    }
  }

  /// Lists go before others, or stop when too many keys fail, and operators change that.
  private mutating func addTerms() {
    var random = SeededRandom(seed: seed ^ 0x7e125)
    guard random.chance(0.35) else { return }
    let changes = random.chance(0.5)
    func priority(_ random: inout SeededRandom) -> Int { random.pick([0, 2, 5, 5, 9]) }
    func share(_ random: inout SeededRandom) -> Double { random.pick([0, 0.02, 0.2, 0.6, 1]) }
    func terms(_ random: inout SeededRandom) -> ListTerms {
      ListTerms(priority: priority(&random), stopAfter: random.chance(0.4) ? share(&random) : nil)
    }
    let isLong = random.chance(0.3)
    for index in lists.indices {
      lists[index].terms = terms(&random)
      if isLong { lists[index].natures += Array(repeating: .good, count: 100 + Int(random.unit() * 200)) }
    }
    for index in incidents.indices where incidents[index].list != nil { incidents[index].list?.terms = terms(&random) }
    guard changes else { return }
    for at in Self.times(&random, 4, before: heals) {
      var change = ListTermsChange()
      if random.chance(0.6) { change.priority = priority(&random) }
      if random.chance(0.5) { change.stop = random.chance(0.3) ? .never : .after(share(&random)) }
      incidents.append(Incident(at: at, kind: .deed(.set(list: Int(random.next() % 4), change))))
    }
  }

  /// An operator retries some of the failed keys.
  private mutating func addRetries() {
    var random = SeededRandom(seed: seed ^ 0x2e712)
    guard random.chance(0.2) else { return }
    for at in Self.times(&random, 4, before: heals) {
      let retry: RetryPlan =
        switch Int(random.unit() * 3) {
        case 0: .list(Int(random.next() % 4))
        case 1: .status(random.pick([403, 404, 422, 500, 503]))
        default: .keys((0..<(1 + Int(random.unit() * 20))).map { _ in random.unit() })
        }
      incidents.append(Incident(at: at, kind: .deed(random.chance(0.4) ? .atNextCommit(.retry(retry)) : .retry(retry))))
    }
  }

  /// Half of them early, when short lists are still open.
  private static func times(_ random: inout SeededRandom, _ most: Int, before heals: Seconds) -> [Seconds] {
    (0..<(1 + Int(random.unit() * Double(most)))).map { _ in
      random.chance(0.5) ? random.uniform(0, min(30, heals)) : random.uniform(0, heals)
    }
  }

  private static func natures(_ random: inout SeededRandom) -> [Nature] {
    let all: [Nature] = [
      .unknown, .invalid, .forbidden, .knownLate, .broken, .unauthorized, .redirected, .gatewayForbidden,
    ]
    let some = all.filter { _ in random.chance(0.35) }
    return some.isEmpty ? [.good] : some
  }

  private static func limit(_ random: inout SeededRandom, heals: Seconds) -> LimitPlan? {
    guard random.chance(0.5) else { return nil }
    let count = Int(exponential(&random, 5, 500))
    let period = random.pick([1.0, 10, 60, 600])
    let isCrowded = random.chance(0.3) && heals * Double(count) / period < 50_000
    return LimitPlan(
      shape: Int(random.unit() * 4), count: count, period: period, hasHeaders: random.chance(0.8),
      neighbours: isCrowded ? random.uniform(0.05, 0.5) : nil)
  }

  private static func exponential(_ random: inout SeededRandom, _ low: Double, _ high: Double) -> Double {
    low * pow(high / low, random.unit())
  }
}
