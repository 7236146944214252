package import Registration

/// One request that is about to be sent or in flight.
package struct Job: Sendable, Hashable {
  package var key: DueKey
  /// The number of the request among all requests; a later request has a higher number.
  package var order: Int
  package var sentAt: Timestamp
  /// Sent to find out whether a problem is over, not because it was next.
  package var isProbe: Bool
  /// A key that these credentials registered before. Its reply says something about the API, not about the key, and is
  /// not recorded.
  package var isKnownGood: Bool
  /// The number that the queue gave the credentials it is sent with; nil if it could not.
  package var registrar: Int64?
  /// The credentials or the endpoint have changed since it was sent.
  package var isOutdated = false
  /// The rate limit refused it. Perhaps that limit is the key's own, so others are tried before it is sent again.
  package var isThrottled = false
  /// Counts changes of credentials and endpoint.
  package var epoch = 0
  /// Which reading of the queue the key comes from. A key read before the last change of keys is read again, not sent.
  package var reading = 0

  package init(
    key: DueKey, order: Int, sentAt: Timestamp, isProbe: Bool = false, isKnownGood: Bool = false
  ) {
    self.key = key
    self.order = order
    self.sentAt = sentAt
    self.isProbe = isProbe
    self.isKnownGood = isKnownGood
  }
}
