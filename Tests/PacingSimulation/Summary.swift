// The means of several runs of one scenario, and which levels they miss.

package struct Summary: Sendable {
  package var runs: [SimulationResult]

  package init(runs: [SimulationResult]) { self.runs = runs }

  package func mean(_ value: (SimulationResult) -> Double) -> Double {
    runs.reduce(0) { $0 + value($1) } / Double(max(1, runs.count))
  }

  package var efficiency: Double { mean(\.efficiency) }
  package var throttled: Double { mean(\.throttledPerThousand) }
  package var harm: Double { mean(\.harm) }
  package var use: Double? { runs.contains { $0.use != nil } ? mean { $0.use ?? 1 } : nil }
  package var fairness: Double? { runs.contains { $0.fairness != nil } ? mean { $0.fairness ?? 1 } : nil }
  package var firstSecond: Int { runs.compactMap(\.firstSecond).max() ?? 0 }
  package var herd: Int { runs.map(\.herd).max() ?? 0 }

  /// Each level that is missed, in words.
  package func missed(_ levels: Scenario.Levels) -> [String] {
    var missed: [String] = []
    let check = { (holds: Bool, name: String, value: Double, level: Double) in
      if !holds { missed.append("\(name) \(rounded(value)), level \(rounded(level))") }
    }
    check(runs.allSatisfy(\.isDone), "done", 0, 1)
    check(efficiency >= levels.efficiency, "efficiency", efficiency, levels.efficiency)
    check(efficiency <= levels.efficiencyAtMost, "efficiency at most", efficiency, levels.efficiencyAtMost)
    check(throttled <= levels.throttled, "429 per 1,000", throttled, levels.throttled)
    check(harm <= levels.harm, "harm", harm, levels.harm)
    check((use ?? 1) >= levels.use, "use", use ?? 1, levels.use)
    check((fairness ?? 1) >= levels.fairness, "fairness", fairness ?? 1, levels.fairness)
    check(Double(firstSecond) <= levels.firstSecond, "first second", Double(firstSecond), levels.firstSecond)
    let refused = runs.map(\.refused).max() ?? 0
    check(refused <= levels.refusedSent, "sent while refused", Double(refused), Double(levels.refusedSent))
    let recovery = runs.compactMap(\.recovery).max() ?? 0
    check(recovery <= levels.recovery, "recovery", recovery, levels.recovery)
    check(runs.allSatisfy { $0.lost == 0 }, "keys lost", 1, 0)
    return missed
  }
}

package func rounded(_ value: Double) -> Double { value.isFinite ? (value * 1_000).rounded() / 1_000 : value }
