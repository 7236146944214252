// What the operator decides about pacing. Everything else the pacer learns from the replies.

/// The part of the configuration that pacing obeys. A reload replaces it while requests are in flight.
package struct PacerSettings: Hashable, Sendable {
  /// What is left to the others in the organisation that draw on the same budget.
  package enum Reserve: Hashable, Sendable {
    /// What they are forecast to use, from what they were seen to use.
    case automatic
    /// The forecast, and never less than this share of the limit, 0…0.9: what is left of a window does not fall below it
    /// through requests of ours.
    case share(Double)

    /// Requests of each window that are never taken. One is always left to us, or a limit of 1 would stall forever.
    func withheld(of count: Int) -> Int {
      guard case .share(let share) = self, share > 0 else { return 0 }
      return min(Int(clamping: (min(share, 0.9) * Double(count)).rounded(.up)), max(0, count - 1))
    }
  }

  /// Requests in flight at most, 1…64.
  package var workers: Int
  package var reserve: Reserve
  /// Obeyed until the API says otherwise.
  package var assume: Allowance?

  package init(workers: Int, reserve: Reserve = .automatic, assume: Allowance? = nil) {
    self.workers = max(1, workers)
    self.reserve = reserve
    self.assume = assume
  }
}
