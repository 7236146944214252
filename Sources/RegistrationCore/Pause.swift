package import Registration

/// A pause by the operator, kept across restarts.
package struct Pause: Codable, Sendable, Hashable {
  package var reason: String?
  package var since: Timestamp

  package init(reason: String?, since: Timestamp) {
    self.reason = reason
    self.since = since
  }
}
