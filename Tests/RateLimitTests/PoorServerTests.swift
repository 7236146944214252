// The servers that tell little count as the real ones do: otherwise what is measured against them means nothing.

import PacingSimulation
import RateLimit
import Testing

@Suite struct PoorServerTests {
  @Test func anAnchoredWindowBeginsWithARequest() {
    let server = SimulatedServer(scenario(.anchored), seed: 1)
    #expect(statuses(server, at: [3, 4, 5, 12.9]) == [201, 201, 429, 429])
    #expect(statuses(server, at: [20, 29.9, 29.95, 30.1]) == [201, 201, 429, 201])
  }

  /// Two tokens in ten seconds: each request loses what is less than a token.
  @Test func aTruncatingBucketLosesPartsOfTokens() {
    let server = SimulatedServer(scenario(.truncating), seed: 1)
    #expect(statuses(server, at: [0, 4.9, 9.8, 10, 14.9]) == [201, 201, 429, 201, 429])
  }

  /// Two tokens in ten seconds.
  @Test func aBucketAsksToWaitUntilOneTokenIsBack() {
    var scenario = scenario(.bucket)
    scenario.retryAfter = .seconds
    let server = SimulatedServer(scenario, seed: 1)
    _ = statuses(server, at: [0, 0.1])
    #expect(server.handle(at: 0.2).retryAfter?.value == 5)
  }

  @Test func oneReplyHasAnOddReset() {
    let server = SimulatedServer(
      Scenario("", "") {
        ($0.limit, $0.period, $0.tellsPeriod, $0.oddReset, $0.firstEdge) = (9, 10, false, (2, 3_000), 8)
      }, seed: 1)
    #expect([1, 2, 3].map { server.handle(at: $0).reset } == [7, 3_000, 5])
  }

  @Test func aReplyMayHaveACountAndNoReset() {
    let server = SimulatedServer(
      Scenario.poor(.count, kind: .bucket, isAligned: true, limit: Allowance(count: 5, period: 10), keys: 9, seed: 1),
      seed: 1)
    let reply = server.handle(at: 1)
    #expect(reply.limit == 5 && reply.remaining == 4 && reply.reset == nil && reply.period == nil)
  }

  private func scenario(_ kind: Scenario.Kind) -> Scenario {
    Scenario("", "") { ($0.kind, $0.limit, $0.period) = (kind, 2, 10) }
  }

  private func statuses(_ server: SimulatedServer, at instants: [Seconds]) -> [Int] {
    instants.map { server.handle(at: $0).status }
  }
}
