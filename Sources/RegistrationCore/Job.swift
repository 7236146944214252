package import Registration

/// One request that is about to be sent or under way.
package struct Job: Sendable, Hashable {
  package var key: DueKey
  /// The number of the request among all that were sent; a later one has a greater number.
  package var order: Int
  package var sentAt: Timestamp
  /// Sent to find out whether a trouble is over, not because its turn had come.
  package var isProbe: Bool
  /// A key that these credentials have registered before: its reply says something of the API, not of the key, and is
  /// not recorded.
  package var isKnownGood: Bool
  /// The credentials that it is sent with, as the queue numbers them; nil when it could not.
  package var registrar: Int64?
  /// The credentials or the endpoint have changed since it was sent.
  package var isOutdated = false
  /// Counts changes of credentials and endpoint.
  package var epoch = 0
  /// Which reading of the queue the key comes from. What is older than the last change of keys is read anew, not sent.
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
