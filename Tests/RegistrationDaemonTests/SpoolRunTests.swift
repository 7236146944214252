import Dispatch
import Foundation
import Testing

/// Lists on their way into the queue, while others write and the daemon is killed. `KEYREG_SPOOL_SEEDS=500` tries as many
/// seeds, one after another.
@Suite struct SpoolRunTests {
  private static let more = ProcessInfo.processInfo.environment["KEYREG_SPOOL_SEEDS"].flatMap { UInt64($0) }

  @Test(arguments: 1...4) func noListIsLostOnItsWay(seed: UInt64) async throws {
    _ = try await run(seed)
  }

  @Test(.enabled(if: more != nil)) func noListIsLostHoweverManyAreTried() async throws {
    var (seconds, kills, lists) = (0.0, 0, 0)
    for seed in 1...(Self.more ?? 1) {
      let result = try await run(seed)
      (seconds, kills, lists) = (seconds + result.seconds, kills + result.kills, lists + result.lists)
    }
    print("\(Int(seconds / 3_600)) hours, \(kills) kills, \(lists) lists")
  }

  private func run(_ seed: UInt64) async throws -> SpoolRun.Result {
    let result = try await withCheckedThrowingContinuation { continuation in
      DispatchQueue(label: "run").async { @Sendable in
        continuation.resume(with: Result { try SpoolRun(seed: seed).run(processes: 6) })
      }
    }
    #expect(result.broken == nil, "seed \(seed): \(result.broken ?? "")")
    #expect(result.kills > 0 && result.lists > 0 && result.seconds > 100)
    return result
  }
}
