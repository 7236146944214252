// The pacer's answer to a worker, and the permit that a worker holds while its request is in flight.

package enum Decision: Hashable, Sendable {
  /// Take a permit with `send` and send the request.
  case send
  /// Ask again at this instant, or after a reply, whichever comes first.
  case wait(until: Seconds)
  /// Ask again after the next reply.
  case awaitReply
}

/// One request in flight. It ends with one `receive`; further ones are ignored.
package struct Permit: Hashable, Sendable {
  package let id: UInt64
}
