// What one limit's model answers when it is asked whether a request may go, and what it is told to decide by. The pacer
// joins the answers of all limits into one decision.

enum Turn: Hashable, Sendable {
  case go
  /// Ask with one request.
  case probe
  case wait(until: Seconds)
  /// Nothing to do until a reply comes.
  case reply
}

/// The circumstances of one question.
struct Ask: Sendable {
  var now: Seconds
  /// Keys that wait, the one that asks included.
  var backlog: Int
  var inFlight: Int
  var lastSentAt: Seconds
  /// Seconds of a long round trip.
  var roundTrip: Seconds
  /// Own requests that counted, of at least the longest known period.
  var log: SentLog
}
