// A request under way, as the pacer remembers it between the permit and the reply.

struct Flight: Hashable, Sendable {
  /// Counts up with every permit: the order in which requests were sent.
  var sequence: UInt64
  var sentAt: Seconds
  /// Went alone, to ask whether others may follow.
  var isProbe: Bool
}
