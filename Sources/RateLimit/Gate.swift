/// One gate and one probe for all workers. When a limit is reached, all stop together. When it is time, exactly one
/// request goes as a probe, and only its reply lets the others follow. Otherwise every waiting worker would try at the
/// reset, and a server that is a little late would refuse them all.
///
/// The operations and the state after each. A closed gate whose time has come is in the state `then`: see `state(at:)`.
///
/// ```
///              open          asking(a)            closed(u, then: a)              probing(p, a, then: g)
/// close(v, b)  closed(v, b)  closed(v, b)         closed(later of u and v, b)     the same is done to g
/// pause(v)     closed(v, –)  closed(v, a)         closed(later of u and v, a)     the same is done to g
/// ask(b)       asking(b)     asking(b)            closed(u, b)                    the same is done to g
/// pass(q)      open          probing(q, a, open)  probing(q, a, closed(u, –)), or  unchanged: one probe at a time
///                                                 unchanged where nobody asks
/// answer(p)    unchanged     unchanged            unchanged                       g
/// withdraw(p)  unchanged     unchanged            unchanged                       g, which asks for a unless it asks
/// ```
///
/// `answer` and `withdraw` of any other request than p leave every state unchanged.
enum Gate: Hashable, Sendable {
  /// Who asks. A probe ignores the count of the limit that asks, and of all limits when everyone asks.
  enum Asker: Hashable, Sendable {
    case everyone
    /// The limit with this number.
    case limit(Int)
  }

  case open
  /// The next request goes alone.
  case asking(Asker)
  /// Nothing passes before an instant. Then one request probes, or all pass if nobody asks.
  case closed(until: Seconds, then: Asker?)
  /// A request, named by its permit, was sent as a probe and has no reply yet. `then` is the state after it: open, or
  /// what a late reply to an earlier request has made of it meanwhile.
  indirect case probing(UInt64, Asker, then: Gate)

  /// Nothing is known at the start, so the first request is a probe.
  static let initial = Gate.asking(.everyone)

  /// The state at an instant, without a `closed` whose time has come and without one hidden behind a probe.
  func state(at now: Seconds) -> Gate {
    switch self {
    case .open, .asking: return self
    case .closed(let until, _) where now < until: return self
    case .closed(_, let asker): return asker.map(Gate.asking) ?? .open
    case .probing(_, _, let then):
      if case .closed = then.state(at: now) { return then }
      return self
    }
  }

  // MARK: What closes it

  /// A limit is used up: nothing passes before `instant`, then one request probes.
  mutating func close(until instant: Seconds, for asker: Asker) {
    switch self {
    case .open, .asking: self = .closed(until: instant, then: asker)
    case .closed(let until, _): self = .closed(until: max(until, instant), then: asker)
    case .probing: changeWhatFollows { $0.close(until: instant, for: asker) }
    }
  }

  /// Nothing passes before `instant`; then the gate is as it would be now.
  mutating func pause(until instant: Seconds) {
    switch self {
    case .open: self = .closed(until: instant, then: nil)
    case .asking(let asker): self = .closed(until: instant, then: asker)
    case .closed(let until, let asker): self = .closed(until: max(until, instant), then: asker)
    case .probing: changeWhatFollows { $0.pause(until: instant) }
    }
  }

  /// One request must probe before others follow.
  mutating func ask(for asker: Asker) {
    switch self {
    case .open, .asking: self = .asking(asker)
    case .closed(let until, _): self = .closed(until: until, then: asker)
    case .probing: changeWhatFollows { $0.ask(for: asker) }
    }
  }

  // MARK: What goes through it

  /// - Returns: whether the request that goes now is the probe.
  mutating func pass(_ permit: UInt64) -> Bool {
    switch self {
    case .asking(let asker): self = .probing(permit, asker, then: .open)
    case .closed(let until, let asker?): self = .probing(permit, asker, then: .closed(until: until, then: nil))
    case .open, .closed, .probing: return false
    }
    return true
  }

  /// A request has its reply.
  mutating func answer(_ permit: UInt64) {
    guard case .probing(permit, _, let then) = self else { return }
    self = then
  }

  /// A request was never sent: if it was the probe, another must be.
  mutating func withdraw(_ permit: UInt64) {
    guard case .probing(permit, let asker, var then) = self else { return }
    if !then.isAsking { then.ask(for: asker) }
    self = then
  }

  /// Whether one request will go as a probe, now or when its time comes.
  private var isAsking: Bool {
    switch self {
    case .asking, .closed(_, .some): true
    case .open, .closed(_, nil), .probing: false
    }
  }

  private mutating func changeWhatFollows(_ change: (inout Gate) -> Void) {
    guard case .probing(let permit, let asker, var then) = self else { return }
    change(&then)
    self = .probing(permit, asker, then: then)
  }
}
