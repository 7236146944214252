// A model's answer to whether a request may go, and what it decides by. The pacer combines the answers of all limits
// into one decision.

enum Turn: Hashable, Sendable {
  case go
  /// Send one request as a probe.
  case probe
  case wait(until: Seconds)
  /// Nothing to do until a reply comes.
  case reply
}

/// The circumstances of one question.
struct Ask: Sendable {
  var now: Seconds
  /// Waiting keys, including the one that asks.
  var backlog: Int
  var inFlight: Int
  var lastSentAt: Seconds
  /// Seconds of a long round trip.
  var roundTrip: Seconds
  /// Our own requests that counted, for at least the longest known period.
  var log: SentLog
}
