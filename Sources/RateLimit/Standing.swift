// Where the pacer stands, as `status` and the metrics show it.

package struct Standing: Hashable, Sendable {
  /// Where the limit is known from.
  package enum Source: String, Hashable, Sendable, CaseIterable {
    case headers, body, learned, assumed, none
  }

  package var name: String?
  package var limit: Int?
  /// Seconds.
  package var period: Seconds?
  /// The lowest trusted count minus what is in flight.
  package var remaining: Int?
  /// Seconds.
  package var resetsIn: Seconds?
  /// Requests of what remains that are left to others.
  package var reserved: Int
  package var source: Source
  /// When the next request may go; nil when one may now.
  package var opensAt: Seconds?
  /// Seconds until the backlog is done; nil when it cannot be told.
  package var etaSeconds: Seconds?
}

/// A limit that the pacer knows of, for whoever tells people of it.
package struct KnownLimit: Hashable, Sendable {
  /// Nil for a limit without a name.
  package var name: String?
  package var allowance: Allowance
  package var source: Standing.Source

  package init(name: String?, allowance: Allowance, source: Standing.Source) {
    self.name = name
    self.allowance = allowance
    self.source = source
  }
}
