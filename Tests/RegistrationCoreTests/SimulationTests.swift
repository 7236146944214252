import DaemonSimulation
import Testing

/// The daemon's heart in a world of bad luck (`Tests/Simulation`), briefly. `simulate` runs it as long as one likes.
@Suite struct SimulationTests {
  /// Troubles of an hour at most, and some of days.
  @Test(arguments: 0..<40) func everyPromiseIsKept(tens: UInt64) {
    for seed in tens * 10 + 1...tens * 10 + 10 {
      let plan = Plan(seed: seed, longest: seed % 20 == 0 ? .infinity : 3_600)
      var run = DaemonRun(plan)
      run.run()
      if run.violation != nil { Issue.record(Comment(rawValue: Failure(plan)?.text() ?? "not twice the same")) }
    }
  }

  @Test(arguments: [1, 3, 8, 70, 95] as [UInt64]) func theSameSeedIsTheSameRun(seed: UInt64) {
    let stories = (0..<2).map { _ in
      var run = DaemonRun(Plan(seed: seed), keepsStory: true)
      run.run()
      return run.story
    }
    #expect(stories[0].lines == stories[1].lines && stories[0].lines.count > 10)
    #expect(stories[0].fingerprint == stories[1].fingerprint)
  }

  /// Otherwise a run that ends well would mean little.
  @Test func runsMeetWhatTheyAreFor() {
    var sum = RunTally()
    for seed in 1...20 as ClosedRange<UInt64> {
      var run = DaemonRun(Plan(seed: seed))
      run.run()
      sum += run.tally
    }
    #expect(sum.kills > 0 && sum.restarts > 0 && sum.holds > 0 && sum.refunds > 0 && sum.canaries > 0 && sum.failed > 0)
    #expect(sum.seconds > 360_000)
  }
}
