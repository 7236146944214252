// A request from its permit to its reply, as the limits need to know it.

/// A request in flight.
struct Flight: Hashable, Sendable {
  /// Counts up with every permit: the order in which requests were sent.
  var sequence: UInt64
  var sentAt: Seconds
  /// Sent alone, to find out whether others may follow.
  var isProbe: Bool
}

/// What a limit's model learns from one reply, apart from the headers (`RateLimitReading`).
struct ReceivedReply: Sendable {
  var flight: Flight
  var kind: PacedReply.Kind
  var now: Seconds
  /// The other requests in flight when it came.
  var others: [Flight]
  var clock: ServerClock
  /// Our own requests that counted, including this one.
  var log: SentLog
  /// A number in 0..<1, drawn again for each limit that sees the reply.
  var chance = 0.5

  var isThrottled: Bool { kind == .throttled }
}
