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
      if run.violation != nil { Issue.record(Comment(rawValue: Failure(plan)?.text() ?? "not reproducible")) }
    }
  }

  /// What is known of the API grows old: a canary of yesterday is none.
  @Test func everyPromiseIsKeptInQuietWorlds() {
    var sum = RunTally()
    for seed in 1...20 as ClosedRange<UInt64> {
      let plan = Plan.quiet(seed: seed)
      var run = DaemonRun(plan)
      run.run()
      sum += run.tally
      if run.violation != nil { Issue.record(Comment(rawValue: Failure(plan)?.text() ?? "not reproducible")) }
    }
    #expect(sum.canaries > 0 && sum.holds > 10)
  }

  /// No header tells a limit of some requests in 10 s. Three hours lie between two lists that reach it, or a pause of most of
  /// an hour between a refusal and the next probe: they are not its period.
  @Test(arguments: [200_932, 8_329] as [UInt64]) func idleTimeIsNotTakenForAPeriod(seed: UInt64) {
    var run = DaemonRun(Plan(seed: seed))
    run.run()
    #expect(run.violation == nil)
  }

  /// Windows, a sliding log, a bucket; of a sliding window counter, whose last part others' past decides, mostly.
  @Test(arguments: 0..<4) func theEndIsToldWithinATenthOfWhatIsLeft(shape: Int) {
    for seed in 1...10 as ClosedRange<UInt64> {
      let plan = Plan.steady(seed: seed, shape: shape)
      let period = plan.limit?.period ?? 0
      var run = DaemonRun(plan, notesEstimates: true)
      run.run()
      let end = run.now
      // A full period has been seen by then. Of the last seconds a tenth is less than one request takes.
      let estimates = run.estimates.filter { $0.at > period }
      let right = estimates.count { abs($0.end - end) <= 0.1 * (end - $0.at) + 0.05 * period }
      #expect(run.violation == nil && estimates.count > 50)
      #expect(
        Double(right) >= (shape == 3 ? 0.75 : 0.97) * Double(estimates.count),
        "seed \(seed): \(right) of \(estimates.count)")
    }
  }

  /// Raised or cut in the second window. Two windows later the end is told as well as before; of a sliding window counter
  /// that is cut it is not, because the older window goes on counting.
  @Test(arguments: 0..<4, [4, 1.0 / 3]) func aChangedLimitIsUsedAndTheEndIsToldAnew(shape: Int, factor: Double) {
    var (right, told) = (0, 0)
    for seed in 1...5 as ClosedRange<UInt64> {
      let plan = Plan.changing(seed: seed, shape: shape, factor: factor)
      guard let (old, new, changedAt) = plan.change else { continue }
      var run = DaemonRun(plan, notesEstimates: true)
      run.run()
      let end = run.now
      // At least one window was used before.
      let windows = Double(plan.keys - old.count) / Double(new.count)
      #expect(run.violation == nil && end - changedAt < 1.2 * windows * old.period, "seed \(seed): \(end)")
      let refused = run.tally.requests - run.tally.keys
      #expect(refused <= (shape == 0 ? 3 : 15 + plan.keys / 20), "seed \(seed): \(refused) refusals")
      let estimates = run.estimates.filter { $0.at > changedAt + 2 * old.period }
      told += estimates.count
      right += estimates.count { abs($0.end - end) <= 0.1 * (end - $0.at) + 0.05 * old.period }
    }
    let share = shape == 0 ? 0.97 : shape == 3 && factor < 1 ? 0 : 0.9
    #expect(told > 100 && Double(right) >= share * Double(told), "\(right) of \(told)")
  }

  /// Replies of the former endpoint arrive while the new one is asked.
  @Test func aFormerEndpointTeachesNothingOfTheNewOne() {
    for seed in 1...20 as ClosedRange<UInt64> {
      let plan = Plan.moving(seed: seed)
      var run = DaemonRun(plan)
      run.run()
      if run.violation != nil { Issue.record(Comment(rawValue: Failure(plan)?.text() ?? "not reproducible")) }
    }
  }

  /// The daemon's own queue beside its model, killed and opened again.
  @Test func theQueueIsAsItsModelIs() {
    var sum = RunTally()
    // In the last one, keys are in flight when their list is cancelled.
    for seed in Array(1...11) + [24] as [UInt64] {
      let plan = Plan(seed: seed, longest: 3_600)
      var run = DaemonRun(plan, isPaired: true)
      run.run()
      sum += run.tally
      if run.violation != nil {
        Issue.record(Comment(rawValue: Failure(plan, isPaired: true)?.text() ?? "not reproducible"))
      }
    }
    #expect(sum.comparisons > 300 && sum.kills > 3 && sum.awaited > 0)
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
    #expect(
      sum.kills > 0 && sum.restarts > 0 && sum.holds > 0 && sum.charges > 0 && sum.spared > 0 && sum.canaries > 0
        && sum.failed > 0)
    #expect(sum.seconds > 360_000)
  }
}
