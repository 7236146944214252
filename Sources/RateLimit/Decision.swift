// The pacer's answer to a worker, and the permit that a worker holds while its request is under way.

package enum Decision: Hashable, Sendable {
  /// Take a permit with `send` and go.
  case send
  /// Ask again at this instant, or after a reply, whichever comes first.
  case wait(until: Seconds)
  /// Ask again after the next reply.
  case awaitReply
}

/// One request under way. Ends with exactly one `receive`; a second one is disregarded.
package struct Permit: Hashable, Sendable {
  package let id: UInt64
}
