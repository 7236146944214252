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

  /// 100 in 10 s become 40 or 400 after 20 s.
  @Test(arguments: [40, 400]) func aLimitThatReallyChangesIsBelieved(new: Int) {
    var scenario = Scenario.odd(nil, at: 1, among: .full)
    (scenario.changes, scenario.keys) = ([(20, new)], 1_000)
    let result = Simulation.keyreg(scenario, seed: 2)
    #expect(result.isDone && result.efficiency > 0.9 && result.throttled <= 2)
  }
}
