import RateLimit
import Registration
import Testing

@testable import RegistrationCore

/// Whatever happens in whatever order, no key is lost and none is charged for a shared problem.
@Suite struct CorePropertyTests {
  /// A server that works, refuses all keys, is down, or refuses certain keys; it changes at random.
  @Test(arguments: 0..<200) func noKeyIsLostAndOnlyTheGuiltyFail(seed: UInt64) throws {
    var random = SplitMix64(seed: seed)
    let guilty = Set((1...40).filter { _ in random.unit() < 0.1 }.map(Int64.init))
    let unknown = Set(guilty.filter { _ in random.unit() < 0.4 })
    var bench = CoreBench(keys: 40, workers: 4, attempts: 2, seed: seed)
    var flying: [Job] = []
    var unwritten: [KeyResult] = []
    var now = 0.0
    var mood = 0
    var steps = 0
    while !bench.keys.isEmpty {
      steps += 1
      try #require(steps < 200_000, "stalled at \(now): \(String(describing: bench.core.standstill))")
      // A mode lasts until its effects are settled: two changes within one exchange cannot be told apart.
      if steps % 50 == 0, flying.isEmpty, bench.core.holds.waiting == 0 {
        mood = steps > 4_000 ? 0 : random.unit() < 0.4 ? Int(random.unit() * 3) + 1 : 0
      }
      var wanted = Wanted([])
      if flying.isEmpty || random.unit() < 0.5 {
        wanted = bench.tick(now: now)
        flying += wanted.sends
        if wanted.sends.isEmpty, flying.isEmpty, unwritten.isEmpty { now = max(now + 0.05, wanted.wake ?? 0) }
      } else {
        now += 0.01
        let job = flying.remove(at: Int(random.unit() * Double(flying.count)))
        let row = job.key.row
        let verdict: Verdict =
          switch mood {
          case 1: .forbidden(title: "Forbidden", detail: nil)
          case 2: .unsettled(status: 503, title: "Service Unavailable", detail: nil)
          case 3: .unauthorized(detail: nil)
          default:
            unknown.contains(row)
              ? .failed(status: 404, title: "Not Found", detail: "app key not found")
              : guilty.contains(row) ? .forbidden(title: "Forbidden", detail: nil) : .registered(status: 201)
          }
        wanted = bench.reply(verdict, to: job, now: now)
      }
      // Each row has one place, and what was sent is where the core says.
      for job in flying where !job.isKnownGood {
        #expect(bench.core.ledger.place(of: job.key.row) == .inFlight)
      }
      unwritten += wanted.results
      // Sometimes the disk is slow.
      guard random.unit() < 0.6 || flying.isEmpty else { continue }
      bench.commit(unwritten, now: now)
      unwritten = []
    }
    for (row, decision) in bench.outcomes {
      #expect((decision == .failed) == guilty.contains(row), "row \(row): \(decision)")
    }
    #expect(bench.core.isSettled && KeyLedger.Place.allCases.allSatisfy { bench.core.ledger.count($0) == 0 })
  }
}
