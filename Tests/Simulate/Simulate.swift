// Runs the daemon's core through years of faults in virtual time:
//
//   swift run -c release simulate --seeds 1...10000
//
// Prints what was simulated. If a seed breaks a promise, it is shrunk and its story printed; the exit code is then 1.

import ArgumentParser
import DaemonSimulation
import Foundation

@main
struct Simulate: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "simulate", abstract: "Simulates the daemon through faults of every kind and checks its promises.")

  @Option(help: ArgumentHelp("Seeds to run.", valueName: "first...last"))
  var seeds = SeedRange(1...1_000)

  @Option(help: "Lines of a failing run's story.")
  var lines = 60

  @Option(help: "Only runs whose troubles last no longer, in seconds (60 or more).")
  var longest = Double.infinity

  @Option(help: "Stop after this many failures.")
  var failures = 3

  @Flag(help: "Do not shrink failing runs.")
  var quick = false

  @Flag(help: "Print the plan and the whole story of the first seed, and end.")
  var tell = false

  @Option(help: "random, or quiet for days in which nothing happens.")
  var worlds = Worlds.random

  enum Worlds: String, ExpressibleByArgument, CaseIterable {
    case random, quiet
  }

  @Option(help: "model, sqlite for the daemon's own queue beside it, or mixed for that in every 50th run.")
  var queue = QueueKind.mixed

  enum QueueKind: String, ExpressibleByArgument, CaseIterable {
    case model, sqlite, mixed

    func isPaired(_ seed: UInt64) -> Bool { self == .sqlite || self == .mixed && seed % 50 == 0 }
  }

  func run() throws {
    if tell {
      let seed = seeds.seeds.lowerBound
      var run = DaemonRun(plan(seed), isPaired: queue.isPaired(seed), keepsStory: true)
      run.run()
      print(([run.plan.text] + run.story.lines).joined(separator: "\n"))
      return
    }
    var sum = RunTally()
    var found = 0
    var played = 0
    var slowest: (seconds: Double, seed: UInt64) = (0, 0)
    let clock = ContinuousClock()
    let began = clock.now
    for seed in seeds.seeds where found < failures {
      let start = clock.now
      let isPaired = queue.isPaired(seed)
      var run = DaemonRun(plan(seed), isPaired: isPaired)
      run.run()
      sum += run.tally
      played += 1
      let took = (clock.now - start) / .seconds(1)
      if took > slowest.seconds { slowest = (took, seed) }
      guard run.violation != nil else { continue }
      found += 1
      print("seed \(seed) fails after \((clock.now - began) / .seconds(1)) s")
      print("\(run.violation?.promise ?? ""): \(run.violation?.detail ?? "")")
      fflush(nil)
      if !quick, let failure = Failure(run.plan, isPaired: isPaired) { print(failure.text(lines: lines) + "\n") }
      fflush(nil)
    }
    print(
      """
      \(played) runs in \((clock.now - began) / .seconds(1)) s, \(found) failing
      \(Int(sum.seconds / 3_600)) simulated hours, \(Int(sum.seconds / 3_600 / coreSeconds)) a core-second; \
      \(sum.keys) keys, \(sum.requests) requests, \(sum.canaries) of them known canaries, \(sum.steps) steps
      \(sum.kills) kills, \(sum.troubles) faults, \(sum.limits) changes of the limit, \(sum.deeds) deeds of operators and writers, \(sum.restarts) restarts, \
      \(sum.holds) holds, \(sum.charges) attempts counted and \(sum.spared) spared, \(sum.failed) failed keys, \
      \(sum.awaited) keys in flight when cancelled\
      \(sum.comparisons > 0 ? ", \(sum.comparisons) comparisons with the real queue" : "")
      the slowest end after the world had healed: \(Int(sum.longestEnd)) s; the slowest run: seed \(slowest.seed), \
      \(slowest.seconds) s
      """)
    if found > 0 { throw ExitCode(1) }
  }

  private func plan(_ seed: UInt64) -> Plan {
    switch worlds {
    case .random: Plan(seed: seed, longest: longest)
    case .quiet: .quiet(seed: seed)
    }
  }
}

/// Processor time that this process has taken.
private var coreSeconds: Double { max(0.001, Double(clock()) / Double(CLOCKS_PER_SEC)) }

/// `1...20`, or one number for that seed alone.
struct SeedRange: ExpressibleByArgument {
  let seeds: ClosedRange<UInt64>

  init(_ seeds: ClosedRange<UInt64>) { self.seeds = seeds }

  init?(argument: String) {
    let ends = argument.split(separator: ".", omittingEmptySubsequences: true).map { UInt64($0) }
    guard let first = ends.first, let last = ends.last, let first, let last, ends.count <= 2, first <= last
    else { return nil }
    seeds = first...last
  }

  var defaultValueDescription: String { "\(seeds.lowerBound)...\(seeds.upperBound)" }
}
