import Dispatch
import Testing

/// Lists on their way into the queue, while others write and the daemon is killed.
@Suite struct SpoolRunTests {
  @Test(arguments: 1...4) func noListIsLostOnItsWay(seed: UInt64) async throws {
    let result = try await withCheckedThrowingContinuation { continuation in
      DispatchQueue(label: "run").async { @Sendable in
        continuation.resume(with: Result { try SpoolRun(seed: seed).run(processes: 6) })
      }
    }
    #expect(result.broken == nil, "seed \(seed): \(result.broken ?? "")")
    #expect(result.kills > 0 && result.lists > 0)
  }
}
