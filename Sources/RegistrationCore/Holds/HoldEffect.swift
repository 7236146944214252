package import RateLimit

extension Holds {
  /// What becomes of keys, in the order in which it is to be done.
  package enum Effect: Sendable, Hashable {
    /// The API has confirmed the key.
    case register(Job, status: Int)
    /// The key goes back among those that are due, as if it had not been sent.
    case release(Job)
    /// The key stays in hand until others' answers have told.
    case keep(Job)
    /// One attempt is counted and another follows after `delay` seconds.
    case retry(Job, Fault, delay: Seconds)
    /// Another attempt follows after `delay` seconds, and this one does not count.
    case postpone(Job, Fault, delay: Seconds)
    /// The API does not know the key: it is asked once more after `delay` seconds.
    case lookAgain(Job, Fault, delay: Seconds)
    /// The key failed.
    case fail(Job, Fault)
    /// A counted attempt is given back.
    case refund(row: Int64)
    case began(Hold)
    case ended(Reason)
  }
}
