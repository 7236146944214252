// What will happen in one run, drawn from its seed before the run begins, so that a failing run can be shrunk by leaving
// things out.

package import RateLimit
package import Registration

/// What goes wrong for a stretch of time.
package enum Trouble: String, CaseIterable, Sendable {
  case throttled, throttledFor
  case serverError, unavailable, unavailableFor
  /// A page that is not the API's: 404, 403, and 200 without the key.
  case gatewayPage, gatewayForbidden, wrongBody
  case unauthorized
  case forbidden, denied, rejected
  case redirected
  /// No reply within the time-out; the request may have arrived.
  case silent
  case unreachable
  case staleConnection
  case slow
  case diskRefusesKeys, diskRefusesResults, diskIsSlow

  var isOfTheDisk: Bool { [.diskRefusesKeys, .diskRefusesResults, .diskIsSlow].contains(self) }
}

/// How the API treats a key.
package enum Nature: String, Sendable {
  case good
  /// 404, 422 and 403 from the API itself, always.
  case unknown, invalid, forbidden
  /// 404 for the first 25 s after it was first asked about.
  case knownLate
  /// 500, 401, a redirect, a gateway's 403 until the world heals.
  case broken, unauthorized, redirected, gatewayForbidden
}

package enum Deed: Sendable {
  case pause, resume
  case reload(isNew: Bool)
  case believe
  case cancel(list: Int)
  case retry(RetryPlan)
  case set(list: Int, ListTermsChange)
  case addList(ListPlan)
  /// The process ends at the first step of this kind from then on, and starts again after `down` seconds.
  case kill(KillPoint, down: Seconds)
  case restart(down: Seconds)
  case setClock(by: Seconds)
  /// Done between a commit and its report to the core.
  indirect case atNextCommit(Deed)
}

package enum KillPoint: String, CaseIterable, Sendable {
  case atOnce, durable, reply, page
}

package struct ListPlan: Sendable {
  package var name: String
  package var natures: [Nature]
  /// Keys of earlier lists that it repeats, as positions among all rows, 0..<1.
  package var shared: [Double] = []
  package var isForced = false
  package var terms = ListTerms()
}

/// Which failed keys an operator retries.
package enum RetryPlan: Sendable {
  case all
  case list(Int)
  /// Whose last answer had this status.
  case status(Int)
  /// As positions among all rows, 0..<1.
  case keys([Double])
}

package struct Incident: Sendable {
  package enum Kind: Sendable {
    /// - Parameters:
    ///   - share: Share of requests affected.
    ///   - wait: Seconds that a Retry-After names.
    case trouble(Trouble, until: Seconds, share: Double, wait: Seconds)
    case deed(Deed)
    /// From then on the API has this limit; nil for none.
    case limit(LimitPlan?)
  }

  package var at: Seconds
  package var kind: Kind

  /// The list that comes with it.
  var list: ListPlan? {
    get {
      switch kind {
      case .deed(.addList(let list)), .deed(.atNextCommit(.addList(let list))): list
      default: nil
      }
    }
    set {
      switch (kind, newValue) {
      case (.deed(.addList), let list?): kind = .deed(.addList(list))
      case (.deed(.atNextCommit(.addList)), let list?): kind = .deed(.atNextCommit(.addList(list)))
      default: break
      }
    }
  }

  package var text: String {
    switch kind {
    case .trouble(let trouble, let until, let share, let wait):
      let part = share < 1 ? ", for \(share) of the requests" : ""
      let after = trouble.rawValue.hasSuffix("For") ? ", Retry-After \(wait.shown)" : ""
      return "\(at.shown) to \(until.shown): \(trouble.rawValue)\(part)\(after)"
    case .deed(let deed): return "\(at.shown): \(deed.text)"
    case .limit(let limit): return "\(at.shown): the limit is \(limit?.text ?? "gone")"
    }
  }
}

extension Deed {
  var text: String {
    switch self {
    case .addList(let list):
      return "list \(list.name) comes: \(list.text), \(list.shared.count) known keys\(list.isForced ? ", forced" : "")"
    case .set(let list, let change):
      let priority = change.priority.map { ", priority \($0)" } ?? ""
      return "list \(list) is worked differently\(priority)\(change.stop.map { ", stop \($0)" } ?? "")"
    case .atNextCommit(let deed): return "at the next commit: \(deed.text)"
    default: return "\(self)"
    }
  }
}

package struct LimitPlan: Sendable, Hashable {
  /// Windows, a sliding log, a bucket, or two windows of which the older one counts in part.
  package var shape: Int
  package var count: Int
  package var period: Seconds
  package var hasHeaders: Bool
  package var neighbours: Double?

  var text: String { "\(count)/\(period.shown) s, shape \(shape), headers \(hasHeaders)" }

  /// Whether at most the count differs.
  func counts(as other: LimitPlan) -> Bool {
    var same = self
    same.count = other.count
    return same == other
  }
}

package struct Plan: Sendable {
  package var seed: UInt64
  package var workers: Int
  package var maxAttempts: Int
  package var readAhead: Int
  package var assume: Allowance?
  /// The alarm rings at least every 30 s, as the shell's does, or only when it is due.
  package var alarmIsCapped: Bool
  package var latency: Seconds
  package var limit: LimitPlan?
  package var lists: [ListPlan]
  package var incidents: [Incident]
  /// When every cause of trouble is gone.
  package var heals: Seconds
  /// A healthy list comes when the world heals; otherwise the keys that are refused with 403 become good then.
  package var endsWithNewList: Bool

  /// The limits of the API, and since when each is in force.
  var limits: [(from: Seconds, limit: LimitPlan?)] {
    [(0, limit)]
      + incidents.compactMap { incident in
        if case .limit(let limit) = incident.kind { (incident.at, limit) } else { nil }
      }
  }

  /// Of every key that may come.
  var natures: Set<Nature> {
    incidents.reduce(into: Set(lists.flatMap(\.natures))) { natures, incident in
      if let list = incident.list { natures.formUnion(list.natures) }
    }
  }

  package var keys: Int { lists.reduce(0) { $0 + $1.natures.count } }

  /// Seconds after the world has healed within which each key has its outcome: the longest Retry-After that is obeyed
  /// (1 h), after it the longest wait for another attempt, a second look and two probes of every hold (together less than
  /// half an hour), half an hour to find a limit again, and the time that the limit itself takes.
  package var bound: Seconds {
    let requests = Double(keys + 200)
    // A limit from replies is obeyed for good, even when later ones show none.
    let limited = limits.compactMap(\.limit).map { 3 * requests * $0.period / Double($0.count) + 4 * $0.period }
    return 7_200 + (limited.max() ?? 0)
  }

  package var text: String {
    return """
      seed \(seed): \(keys) keys, \(workers) workers, \(maxAttempts) attempts, read ahead \(readAhead), \
      limit \(limit?.text ?? "none"), heals at \(heals.shown)
      \(lists.map { "  list \($0.name): \($0.text)" }.joined(separator: "\n"))
      \(incidents.map { "  " + $0.text }.joined(separator: "\n"))
      """
  }
}

extension ListPlan {
  fileprivate var text: String {
    let stop = terms.stopAfter.map { ", stops after \(ListTerms.describe(share: $0))" } ?? ""
    return natures.text + (terms.priority == ListTerms.usualPriority ? "" : ", priority \(terms.priority)") + stop
  }
}

extension [Nature] {
  /// `3 good, unknown, 2 good`.
  fileprivate var text: String {
    var runs: [(nature: Nature, count: Int)] = []
    for nature in self {
      if runs.last?.nature == nature { runs[runs.count - 1].count += 1 } else { runs.append((nature, 1)) }
    }
    return runs.map { $0.count > 1 ? "\($0.count) \($0.nature.rawValue)" : $0.nature.rawValue }.joined(separator: ", ")
  }
}

extension Double {
  /// With milliseconds, the same on every machine.
  var shown: String {
    let thousandths = Int64((min(max(self, -1e12), 1e12) * 1_000).rounded())
    let rest = String(abs(thousandths % 1_000))
    return
      "\(thousandths < 0 ? "-" : "")\(abs(thousandths / 1_000)).\(String(repeating: "0", count: 3 - rest.count))\(rest)"
  }
}
