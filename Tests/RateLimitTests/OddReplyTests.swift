// One odd reply among many that agree with each other costs next to nothing, whatever it says.

import PacingSimulation
import RateLimit
import Testing

@Suite struct OddReplyTests {
  @Test(arguments: [(Scenario.Headers.full, 5), (.noLimit, 30), (.count, 95)])
  func oneOddReplyCostsNextToNothing(headers: Scenario.Headers, reply: Int) {
    for odd in OddReply.all {
      let run = OddRun(odd, at: reply, among: headers, seeds: 1...1)
      #expect(!run.isDear, "\(odd): \(run.time) times as long, \(run.refusals) refusals more")
    }
  }

  /// It is obeyed, and forgotten.
  @Test(
    arguments: [.refusal(retryAfter: 60), .otherLimit(Allowance(count: 100, period: 3_600), isRefused: true)]
      as [OddReply])
  func whereRepliesTellNothingOneRefusalCostsOnlyWhatItAsksFor(odd: OddReply) {
    for reply in [5, 30] {
      let run = OddRun(odd, at: reply, among: .nothing, seeds: 1...2)
      #expect(run.time < 1.3, "\(reply): \(run.time) times as long")
    }
  }

  /// 100 in 10 s become 40 or 400 after 20 s.
  @Test(arguments: [40, 400]) func aLimitThatReallyChangesIsBelieved(new: Int) {
    var scenario = Scenario.odd(nil, at: 1, among: .full)
    (scenario.changes, scenario.keys) = ([(20, new)], 1_000)
    let result = Simulation.keyreg(scenario, seed: 2)
    #expect(result.isDone && result.efficiency > 0.9 && result.throttled <= 2)
  }
}
