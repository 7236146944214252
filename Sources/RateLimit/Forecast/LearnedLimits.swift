// What is worth keeping across a restart: the shape of each limit. How much is left is not kept: it would be out of
// date, and one probe finds it out.

package struct LearnedLimits: Hashable, Sendable, Codable {
  package struct Limit: Hashable, Sendable, Codable {
    package var name: String?
    package var allowance: Allowance
    /// Whether windows end at multiples of the period on the server's clock.
    package var isAligned: Bool?
    /// Requests that others took in the last whole windows, newest last.
    package var takenByOthers: [Double]

    package init(name: String?, allowance: Allowance, isAligned: Bool? = nil, takenByOthers: [Double] = []) {
      self.name = name
      self.allowance = allowance
      self.isAligned = isAligned
      self.takenByOthers = takenByOthers
    }
  }

  package var limits: [Limit]

  package init(limits: [Limit] = []) { self.limits = limits }

  /// This comes from a file that anyone may have edited: values are brought into range, surplus ones are dropped.
  var sanitized: [Limit] {
    limits.prefix(Limits.kept).map { limit in
      let allowance = Allowance(count: limit.allowance.count, period: limit.allowance.period)
      return Limit(
        name: limit.name, allowance: allowance, isAligned: limit.isAligned,
        // Others cannot have taken more than there was.
        takenByOthers: limit.takenByOthers.suffix(Neighbours.windowsKept).map {
          $0.isFinite ? min(max(0, $0), allowance.tokens) : 0
        })
    }
  }
}
