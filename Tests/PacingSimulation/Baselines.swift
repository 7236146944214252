// Clients to compare with, as they are used in practice: each call by itself, nothing shared.

package import RateLimit

/// N workers; each repeats its own 429 after 5 s.
package final class NaiveClient: SimulatedClient {
  package init() {}

  package func next(now: Seconds, backlog: Int) -> ClientDecision { .send }
  package func sent(_ request: Int, now: Seconds) {}
  package func received(_ reply: ServerReply, for request: Int, attempt: Int, now: Seconds) -> Afterwards {
    reply.status == 201 ? .done() : .hold(reply.status == 429 ? 5 : 1)
  }
}

/// The vendor's Go client: each call sleeps max(2·2ⁿ, X-RateLimit-Reset), 60 s at most.
package final class VendorClient: SimulatedClient {
  package init() {}

  package func next(now: Seconds, backlog: Int) -> ClientDecision { .send }
  package func sent(_ request: Int, now: Seconds) {}
  package func received(_ reply: ServerReply, for request: Int, attempt: Int, now: Seconds) -> Afterwards {
    if reply.status == 201 { return .done() }
    let backoff = min(60, 2 * Double(1 << min(attempt, 5)))
    guard reply.status == 429, let reset = reply.reset else { return .hold(backoff) }
    let wait = max(attempt > 0 ? backoff : 2, reset)
    return .hold(wait < 1e6 ? min(wait, 3_600) : 60)
  }
}
