// Clients to compare with, as they are in the field: each call for itself, nothing shared.

import RateLimit

/// N workers; each repeats its own 429 after 5 s.
final class NaiveClient: SimulatedClient {
  func next(now: Seconds, backlog: Int) -> ClientDecision { .send }
  func sent(_ request: Int, now: Seconds) {}
  func received(_ reply: ServerReply, for request: Int, attempt: Int, now: Seconds) -> Afterwards {
    .hold(reply.status == 429 ? 5 : 1)
  }
}

/// The vendor's Go client: each call sleeps max(2·2ⁿ, X-RateLimit-Reset), 60 s at most.
final class VendorClient: SimulatedClient {
  func next(now: Seconds, backlog: Int) -> ClientDecision { .send }
  func sent(_ request: Int, now: Seconds) {}
  func received(_ reply: ServerReply, for request: Int, attempt: Int, now: Seconds) -> Afterwards {
    let backoff = min(60, 2 * Double(1 << min(attempt, 5)))
    guard reply.status == 429, let reset = reply.reset else { return .hold(backoff) }
    let wait = max(attempt > 0 ? backoff : 2, reset)
    return .hold(wait < 1e6 ? min(wait, 3_600) : 60)
  }
}
