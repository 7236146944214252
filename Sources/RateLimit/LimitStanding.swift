// Where the pacer stands, as `status` and the metrics show it.

package struct LimitStanding: Hashable, Sendable {
  /// Where the limit is known from.
  package enum Source: String, Hashable, Sendable, CaseIterable {
    case headers, body, learned, assumed, none
  }

  package var name: String?
  package var limit: Int?
  /// Seconds.
  package var period: Seconds?
  /// The lowest trusted count, minus requests in flight.
  package var remaining: Int?
  /// Requests of ours that the limit counts now; nil when they are not counted.
  package var ours: Int?
  /// Seconds.
  package var resetsIn: Seconds?
  /// How many of the remaining requests are left to others.
  package var reserved: Int
  package var source: Source
  /// When the next request may go; nil when one may now.
  package var opensAt: Seconds?
  /// Seconds until the backlog is done; nil while unknown.
  package var etaSeconds: Seconds?
}

/// A limit that the pacer knows, for display.
package struct KnownLimit: Hashable, Sendable {
  /// Nil for a limit without a name.
  package var name: String?
  package var allowance: Allowance
  package var source: LimitStanding.Source

  package init(name: String?, allowance: Allowance, source: LimitStanding.Source) {
    self.name = name
    self.allowance = allowance
    self.source = source
  }
}
