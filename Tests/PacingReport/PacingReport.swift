// What the pacer reaches in every simulated scenario, compared with the clients that people use today:
//
//     swift run -c release pacing-report --scenarios S01...S10 --seeds 1...20
//
// The default is every named scenario with five seeds. Ends with 1 when a level is missed or a key lost.

import ArgumentParser
import Foundation
import PacingSimulation

@main
struct PacingReport: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "pacing-report", abstract: "Simulates the pacer in virtual time and prints what it reaches.")

  @Option(help: ArgumentHelp("Situations: S01,S06 or S01...S10; all when left out.", valueName: "list"))
  var scenarios: String?

  @Option(help: ArgumentHelp("Runs of each situation.", valueName: "first...last"))
  var seeds = SeedRange(1...5)

  @Option(help: ArgumentHelp("Random situations in place of the named ones.", valueName: "first...last"))
  var random: SeedRange?

  @Option(help: ArgumentHelp("Servers that tell little in place of the named situations.", valueName: "first...last"))
  var poor: SeedRange?

  @Option(help: ArgumentHelp("One odd reply in place of the named situations.", valueName: "first...last"))
  var odd: SeedRange?

  @Option(help: "How many of the random situations, those with poor headers, or odd replies to list, the worst first.")
  var worst = 20

  @Flag(inversion: .prefixedNo, help: "Beside it the vendor's client and a naive one.")
  var baselines = true

  func run() throws {
    if let random {
      let report = RandomReport(random.seeds)
      report.print(worst: worst)
      if !report.isSound { throw ExitCode(1) }
      return
    }
    if let poor {
      let report = PoorReport(poor.seeds)
      report.print(worst: worst)
      if !report.isSound { throw ExitCode(1) }
      return
    }
    if let odd { return OddReport(odd.seeds).print(worst: worst) }
    let chosen = try selected()
    print(ScenarioRow.heading(baselines: baselines))
    var isFine = true
    for scenario in chosen {
      let row = ScenarioRow(scenario, seeds: seeds.seeds, baselines: baselines)
      print(row.text)
      isFine = isFine && row.missed.isEmpty
    }
    if !isFine { throw ExitCode(1) }
  }

  private func selected() throws -> [Scenario] {
    let all = Scenario.all + Scenario.further
    guard let scenarios else { return all }
    return try scenarios.split(separator: ",").flatMap { part -> ArraySlice<Scenario> in
      let ends = part.split(separator: ".", omittingEmptySubsequences: true)
      guard let low = all.firstIndex(where: { $0.id == ends.first ?? "" }),
        let high = all.firstIndex(where: { $0.id == ends.last ?? "" }), ends.count <= 2, low <= high
      else { throw ValidationError("no situations \(part): they are \(all[0].id) to \(all[all.count - 1].id)") }
      return all[low...high]
    }
  }
}

/// `1...20`, or one number for a single seed.
struct SeedRange: ExpressibleByArgument {
  let seeds: ClosedRange<UInt64>

  init(_ seeds: ClosedRange<UInt64>) { self.seeds = seeds }

  init?(argument: String) {
    let ends = argument.split(separator: ".", omittingEmptySubsequences: true).map { UInt64($0) }
    guard let first = ends.first, let last = ends.last, let first, let last, ends.count <= 2, first <= last,
      last < 1_000_000_000
    else { return nil }
    seeds = first...last
  }

  var defaultValueDescription: String { "\(seeds.lowerBound)...\(seeds.upperBound)" }
}
