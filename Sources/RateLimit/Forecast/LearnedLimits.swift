// What is worth keeping across a restart: the shape of each limit, and where its windows begin. How much is left is not
// kept: it would be out of date, and one probe finds it out.

package struct LearnedLimits: Hashable, Sendable, Codable {
  package struct Limit: Hashable, Sendable, Codable {
    package var name: String?
    package var allowance: Allowance
    /// Whether windows end at multiples of the period on the server's clock.
    package var isAligned: Bool?
    /// Requests that others took in the last whole windows, newest last.
    package var takenByOthers: [Double]
    /// When one of its windows began or will begin, on the pacer's clock; nil when there are none, or it is not known.
    package var edge: Seconds?

    package init(
      name: String?, allowance: Allowance, isAligned: Bool? = nil, takenByOthers: [Double] = [], edge: Seconds? = nil
    ) {
      self.name = name
      self.allowance = allowance
      self.isAligned = isAligned
      self.takenByOthers = takenByOthers
      self.edge = edge
    }
  }

  package var limits: [Limit]

  /// Seconds; beyond it nothing is known.
  private static let latestEdge: Seconds = 1e10

  package init(limits: [Limit] = []) { self.limits = limits }

  /// The same for a clock that is `seconds` ahead.
  package func moved(by seconds: Seconds) -> LearnedLimits {
    var moved = self
    for index in limits.indices { moved.limits[index].edge = limits[index].edge.map { $0 + seconds } }
    return moved
  }

  /// This comes from a file that anyone may have edited: values are brought into range, surplus ones are dropped.
  var sanitized: [Limit] {
    limits.prefix(Limits.kept).map { limit in
      let allowance = Allowance(count: limit.allowance.count, period: limit.allowance.period)
      return Limit(
        name: limit.name, allowance: allowance, isAligned: limit.isAligned,
        // Others cannot have taken more than there was.
        takenByOthers: limit.takenByOthers.suffix(Neighbours.windowsKept).map {
          $0.isFinite ? min(max(0, $0), allowance.tokens) : 0
        },
        edge: limit.edge.flatMap { abs($0) < Self.latestEdge ? $0 : nil })
    }
  }
}
