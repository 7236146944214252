// A failing run made small: one fault, list or key after another is left out as long as the same promise is broken.

package struct Failure: Sendable {
  package var plan: Plan
  package var violation: Violation
  package var story: [String]

  /// The run of `plan`, shrunk; nil when it keeps every promise.
  ///
  /// - Parameter mostSteps: Steps of all runs together after which shrinking ends.
  package init?(_ plan: Plan, isPaired: Bool = false, mostSteps: Int = 10_000_000) {
    var steps = 0
    func violation(of plan: Plan) -> Violation? {
      var run = DaemonRun(plan, isPaired: isPaired)
      run.run()
      steps += run.tally.steps
      return run.violation
    }
    guard let first = violation(of: plan) else { return nil }
    self.plan = plan
    self.violation = first
    var changed = true
    while changed, steps < mostSteps {
      changed = false
      for smaller in Self.smaller(self.plan) where steps < mostSteps {
        guard let found = violation(of: smaller), found.promise == first.promise else { continue }
        (self.plan, self.violation) = (smaller, found)
        changed = true
        break
      }
    }
    var last = DaemonRun(self.plan, isPaired: isPaired, keepsStory: true)
    last.run()
    story = last.story.lines
  }

  /// Plans with one thing less, the largest steps first.
  private static func smaller(_ plan: Plan) -> [Plan] {
    var plans: [Plan] = []
    func add(_ change: (inout Plan) -> Void) {
      var smaller = plan
      change(&smaller)
      plans.append(smaller)
    }
    let count = plan.incidents.count
    if count > 3 {
      add { $0.incidents.removeFirst(count / 2) }
      add { $0.incidents.removeLast(count / 2) }
    }
    for index in plan.incidents.indices.reversed() { add { $0.incidents.remove(at: index) } }
    if plan.lists.count > 1 { for index in plan.lists.indices { add { $0.lists.remove(at: index) } } }
    for index in plan.lists.indices where plan.lists[index].natures.count > 1 {
      let half = plan.lists[index].natures.count / 2
      add { $0.lists[index].natures.removeLast(half) }
      add { $0.lists[index].natures.removeFirst(half) }
      add { $0.lists[index].natures.removeLast() }
    }
    for list in plan.lists.indices {
      for key in plan.lists[list].natures.indices where plan.lists[list].natures[key] != .good {
        add { $0.lists[list].natures[key] = .good }
      }
    }
    if plan.limit != nil { add { $0.limit = nil } }
    if plan.workers > 1 { add { $0.workers /= 2 } }
    if plan.endsWithNewList { add { $0.endsWithNewList = false } }
    return plans
  }

  /// A story for people: the plan, and the last steps.
  package func text(lines: Int = 60) -> String {
    let skipped = max(0, story.count - lines)
    return
      ([plan.text, skipped > 0 ? "… \(skipped) lines before …" : ""] + story.suffix(lines) + [
        "seed \(plan.seed) breaks: \(violation.promise): \(violation.detail)"
      ]).joined(separator: "\n")
  }
}
