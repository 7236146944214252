package import RateLimit

extension Holds {
  /// What happens to keys, in this order.
  package enum Effect: Sendable, Hashable {
    /// The API has confirmed the key.
    case register(Job, status: Int)
    /// The key is due again, as if it had not been sent.
    case release(Job)
    /// The key stays in hand until other keys have been answered.
    case keep(Job)
    /// Another attempt follows after `delay` seconds. Whether this one counts is seen later: `charge` or `spare`.
    case retry(Job, RequestFault, delay: Seconds)
    /// The attempt does not count, and another follows after `delay` seconds.
    case postpone(Job, RequestFault, delay: Seconds)
    /// The API does not know the key: it is tried once more after `delay` seconds.
    case lookAgain(Job, RequestFault, delay: Seconds)
    /// The key failed.
    case fail(Job, RequestFault)
    /// An attempt without an answer counts.
    case charge(row: Int64)
    /// An attempt without an answer does not count, and the key is due again.
    case spare(row: Int64)
    case began(Hold)
    case ended(Reason)
  }
}
