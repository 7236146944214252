// A request from its permit to its reply, as the limits need to know it.

/// A request under way.
struct Flight: Hashable, Sendable {
  /// Counts up with every permit: the order in which requests were sent.
  var sequence: UInt64
  var sentAt: Seconds
  /// Went alone, to ask whether others may follow.
  var isProbe: Bool
}

/// What one reply tells a limit's model, besides its reading.
struct ReceivedReply: Sendable {
  var flight: Flight
  var kind: PacedReply.Kind
  var now: Seconds
  /// The other requests under way when it came.
  var others: [Flight]
  var clock: ServerClock
  /// Own requests that counted, this one included.
  var log: SentLog
  /// A number in 0..<1, drawn anew for each limit that the reply is shown to.
  var chance = 0.5

  var isThrottled: Bool { kind == .throttled }
}
