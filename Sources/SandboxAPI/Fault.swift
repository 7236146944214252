package import Registration

/// One fault: what goes wrong, for which requests, and when.
package struct Fault: Equatable, Sendable {
  package enum Effect: Equatable, Sendable {
    /// Answered with this status. 200, 201, 204, 400, 404, 409 and 422 cost quota as in the real API; others cost none.
    case status(Int)
    /// An HTML page with this status, as from a gateway in front of the API. Costs no quota.
    case page(Int)
    /// A 429 as an HTML page without rate-limit headers, as from a gateway in front of the API.
    case edge429
    /// The connection is reset before anything is done.
    case reset
    /// The work is done, then the connection is closed without an answer.
    case lost
    /// Answered this much later. Faults that are listed after it apply too.
    case slow(Duration)
    /// Never answered; the connection stays open until the client gives up.
    case hang
    /// 200 with the HTML page of a captive portal; nothing is done.
    case captive
    /// The work is done and the head of the answer is complete, but its body stops half-way and the connection closes.
    case truncated
    /// The work is done, but the body names another key.
    case foreign

    /// The word in the grammar, and in the journal's note.
    package var name: String {
      switch self {
      case .status(let status): String(status)
      case .page(let status): "page=\(status)"
      case .edge429: "edge429"
      case .reset: "reset"
      case .lost: "lost"
      case .slow: "slow"
      case .hang: "hang"
      case .captive: "captive"
      case .truncated: "truncated"
      case .foreign: "foreign"
      }
    }
  }

  package enum Scope: Equatable, Sendable {
    case everyRequest
    /// A share of the requests, above 0 and up to 1.
    case shareOfRequests(Double)
    case key(AppKeyID)
    /// All requests of a share of the keys, above 0 and up to 1.
    case shareOfKeys(Double)
    /// The first requests of each key, 1 or more.
    case firstOfEachKey(Int)
  }

  package var effect: Effect
  package var scope: Scope
  /// Since the start of the sandbox. Nil: always.
  package var span: Range<Duration>?

  package init(_ effect: Effect, _ scope: Scope = .everyRequest, during span: Range<Duration>? = nil) {
    self.effect = effect
    self.scope = scope
    self.span = span
  }
}

/// All faults of one sandbox. With the same plan and seed, the n-th request of a key is treated the same way in every
/// run, in whatever order the requests of different keys come.
package struct FaultPlan: Equatable, Sendable {
  package var faults: [Fault]
  package var seed: UInt64
  /// The share of the limit that another user of the same organisation spends, above 0 and up to 1.
  package var neighbourShare: Double?

  package static let none = FaultPlan()

  package init(_ faults: [Fault] = [], seed: UInt64 = 1, neighbourShare: Double? = nil) {
    self.faults = faults
    self.seed = seed
    self.neighbourShare = neighbourShare
  }

  /// The faults of one request: the sum of what slows it, and the first other fault that applies.
  package struct Decision: Equatable, Sendable {
    package var delay: Duration
    package var effect: Fault.Effect?

    package init(delay: Duration = .zero, effect: Fault.Effect? = nil) {
      self.delay = delay
      self.effect = effect
    }
  }

  /// `ordinal` counts the requests of the same key from 1; requests without a key share one count.
  package func decide(key: AppKeyID?, ordinal: Int, elapsed: Duration) -> Decision {
    var decision = Decision()
    for (index, fault) in faults.enumerated() {
      guard fault.span?.contains(elapsed) ?? true,
        applies(fault.scope, key: key, ordinal: ordinal, clause: UInt64(index))
      else { continue }
      if case .slow(let delay) = fault.effect {
        decision.delay += delay
      } else {
        decision.effect = fault.effect
        break
      }
    }
    return decision
  }

  private func applies(_ scope: Fault.Scope, key: AppKeyID?, ordinal: Int, clause: UInt64) -> Bool {
    switch scope {
    case .everyRequest:
      true
    case .shareOfRequests(let share):
      SplitMix64.unit(of: seed, clause, key?.high ?? 0, key?.low ?? 0, UInt64(ordinal)) < share
    case .key(let wanted):
      key == wanted
    case .shareOfKeys(let share):
      key.map { SplitMix64.unit(of: seed, clause, $0.high, $0.low) < share } ?? false
    case .firstOfEachKey(let count):
      key != nil && ordinal <= count
    }
  }
}
