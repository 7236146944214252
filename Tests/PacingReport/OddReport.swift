import Foundation
import PacingSimulation

/// What one odd reply costs, for each that does.
struct OddReport {
  private let runs: [OddRun]

  private static let replies = [5, 30, 95, 230]

  init(_ seeds: ClosedRange<UInt64>) {
    runs = Scenario.Headers.allCases.flatMap { headers in
      OddReply.all.flatMap { odd in
        Self.replies.map { OddRun(odd, at: $0, among: headers, seeds: seeds) }
      }
    }
  }

  func print(worst: Int) {
    Swift.print("other replies tell         odd ones  dear  mean time  longest  refusals more")
    for headers in Scenario.Headers.allCases {
      let chosen = runs.filter { $0.headers == headers }
      let count = Double(chosen.count)
      Swift.print(
        headers.rawValue.padding(toLength: 26, withPad: " ", startingAt: 0),
        String(
          format: "%8d %5d %10.3f %8.2f %14.2f", chosen.count, chosen.count(where: \.isDear),
          chosen.reduce(0) { $0 + $1.time } / count, chosen.map(\.time).max() ?? 0,
          chosen.reduce(0) { $0 + $1.refusals } / count))
    }
    for run in runs.filter(\.isDear).sorted(by: { $0.time > $1.time }).prefix(worst) {
      Swift.print(
        "\(rounded(run.time)) times, \(rounded(run.refusals)) refusals more: \(run.headers.rawValue), reply \(run.reply):",
        run.odd)
    }
  }
}
