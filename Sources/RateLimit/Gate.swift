// One gate and one probe for everyone. When a limit is hit all workers stop together, and when it is time exactly one
// request goes to ask; only its reply lets the others follow. Without this every waiting worker asks at the reset, and a
// server that is a little late refuses them all.

struct Gate: Hashable, Sendable {
  private(set) var opensAt: Seconds = -.infinity
  private(set) var reason = Standing.Reason.probe
  /// The next request goes alone. At the start nothing is known, so the first one does.
  private(set) var wantsProbe = true
  /// The request that went alone and has not come back.
  private(set) var probe: UInt64?
  /// The bucket that asks, whose own count the probe therefore disregards; nil when all are asked.
  private(set) var asker: Int?

  mutating func close(until instant: Seconds, reason: Standing.Reason, asker: Int? = nil) {
    if instant > opensAt {
      opensAt = instant
      self.reason = reason
    }
    ask(asker)
  }

  /// Nothing more is known without asking once.
  mutating func ask(_ asker: Int? = nil) {
    wantsProbe = true
    self.asker = asker
  }

  /// A pause for all after which they go on without a probe.
  mutating func pause(until instant: Seconds) {
    if instant > opensAt {
      opensAt = instant
      reason = .backoff
    }
  }

  /// - Returns: whether the request that goes now is the probe.
  mutating func pass(_ sequence: UInt64) -> Bool {
    guard wantsProbe else { return false }
    wantsProbe = false
    probe = sequence
    return true
  }

  /// The probe came back (or never went: then another must).
  mutating func settle(_ sequence: UInt64, unsent: Bool = false) {
    guard probe == sequence else { return }
    probe = nil
    if unsent { wantsProbe = true }
  }
}
