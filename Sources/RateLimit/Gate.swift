// One gate and one probe for all workers. When a limit is hit everybody stops together, and when it is time exactly one
// request goes to ask; only its reply lets the others follow. Without this every waiting worker asks at the reset, and a
// server that is a little late refuses them all.
//
// What is done to it, and what it is then. A closed gate whose time has come is what its `then` says: `state(at:)` tells.
//
//              open          asking(a)            closed(u, then: a)              probing(p, a, then: g)
// close(v, b)  closed(v, b)  closed(v, b)         closed(later of u and v, b)     the same is done to g
// pause(v)     closed(v, –)  closed(v, a)         closed(later of u and v, a)     the same is done to g
// ask(b)       asking(b)     asking(b)            closed(u, b)                    the same is done to g
// pass(q)      open          probing(q, a, open)  probing(q, a, closed(u, –)), or  unchanged: one probe at a time
//                                                 unchanged where nobody asks
// answer(p)    unchanged     unchanged            unchanged                       g
// withdraw(p)  unchanged     unchanged            unchanged                       g, which asks for a unless it asks
//
// `answer` and `withdraw` of any other request than p leave every state unchanged.

enum Gate: Hashable, Sendable {
  /// Who wants to know: a probe disregards what is left of the limit that asks, and of all limits when everyone asks.
  enum Asker: Hashable, Sendable {
    case everyone
    /// The limit of this number.
    case limit(Int)
  }

  case open
  /// The next request goes alone.
  case asking(Asker)
  /// Nobody passes until an instant. Then one asks, or all go on when nobody does.
  case closed(until: Seconds, then: Asker?)
  /// A request, by its permit, went alone and has no reply yet. `then` is what the gate will be after it: open, or what a
  /// late reply to an earlier request has made of it meanwhile.
  indirect case probing(UInt64, Asker, then: Gate)

  /// At the start nothing is known, so the first request goes alone.
  static let initial = Gate.asking(.everyone)

  /// What holds at an instant: no case `closed` whose time has come, nor one that a probe hides.
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

  /// A limit is used up: nobody passes before `instant`, and then one asks.
  mutating func close(until instant: Seconds, for asker: Asker) {
    switch self {
    case .open, .asking: self = .closed(until: instant, then: asker)
    case .closed(let until, _): self = .closed(until: max(until, instant), then: asker)
    case .probing: changeWhatFollows { $0.close(until: instant, for: asker) }
    }
  }

  /// Nobody passes before `instant`; after it they go on as they would have now.
  mutating func pause(until instant: Seconds) {
    switch self {
    case .open: self = .closed(until: instant, then: nil)
    case .asking(let asker): self = .closed(until: instant, then: asker)
    case .closed(let until, let asker): self = .closed(until: max(until, instant), then: asker)
    case .probing: changeWhatFollows { $0.pause(until: instant) }
    }
  }

  /// Nothing more is known without asking once.
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

  /// A request never went: if it was the probe, another must.
  mutating func withdraw(_ permit: UInt64) {
    guard case .probing(permit, let asker, var then) = self else { return }
    if !then.isAsking { then.ask(for: asker) }
    self = then
  }

  /// Whether one request will go alone, now or when its time comes.
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
