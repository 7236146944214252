// What the operator decides about pacing. The pacer learns everything else from the replies.

/// The settings that pacing uses. A reload replaces them while requests are in flight.
package struct PacerSettings: Hashable, Sendable {
  /// What is left to other clients of the organisation that share the budget.
  package enum Reserve: Hashable, Sendable {
    /// What they are forecast to use, based on what they were seen to use; a tenth of the limit where they cannot be seen,
    /// or are seen but not how much they will use.
    case automatic
    /// The forecast, but at least this share of the limit, 0…0.9: our requests never reduce what is left of a window
    /// below it.
    case share(Double)

    /// What is left to others at most.
    private static let largestShare = 0.9
    /// One request in this many is left to others that cannot be seen.
    private static let unseenPart = 10

    /// Requests of each window that are never taken. At least one is always ours: a limit of 1 must not stall us.
    func withheld(of count: Int) -> Int {
      guard case .share(let share) = self, share > 0 else { return 0 }
      return min(Int(clamping: (min(share, Self.largestShare) * Double(count)).rounded(.up)), max(0, count - 1))
    }

    /// The same where others cannot be seen: a limit below 10 leaves them nothing unless the operator says so.
    func withheldUnseen(of count: Int) -> Int {
      self == .automatic ? count / Self.unseenPart : withheld(of: count)
    }
  }

  /// Maximum requests in flight, 1…64.
  package var workers: Int
  package var reserve: Reserve
  /// Used until the API says otherwise.
  package var assume: Allowance?

  package init(workers: Int, reserve: Reserve = .automatic, assume: Allowance? = nil) {
    self.workers = max(1, workers)
    self.reserve = reserve
    self.assume = assume
  }
}
