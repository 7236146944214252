package import RateLimit
import Registration

/// Decides whether a bad reply is about its key or a problem of all keys, what may be sent until that is known, and
/// what happens to each key. Only this decides outcomes.
///
/// A pure value: replies and times go in, effects come out. Until it is known whose problem it is, only one canary at a
/// time is sent. If the canary is answered, the keys were at fault. If it is refused too, no key is charged and the
/// daemon *holds*, probing ever more slowly until the cause is gone. So neither a credential that expires at night, nor
/// hours of outage, nor a list of another organisation's keys can turn keys into failures.
///
/// What a reply does in each state. In a cell with a slash, the first part is for a canary's reply and the second for
/// requests that were in flight before. "Judged": see `Denials`. "Due again": the key goes back untouched. "Charges":
/// attempts without an answer before it count, and a key that has none left fails.
///
/// | reply | open | inquiring: credentials | inquiring: outage | holding: credentials | holding: outage | holding: refused |
/// |---|---|---|---|---|---|---|
/// | registered | recorded; charges | believes the 403s before it; charges; open when no 403 is left / recorded | charges; open / recorded | open / recorded | open / recorded | open |
/// | the API's word on the key | judged; charges | judged; charges; the next canary / judged | judged; charges; open / judged | judged; open / due again | judged; open / due again | due again |
/// | 401 | holds: credentials, or puts off | holds: credentials, or puts off | holds: credentials, or puts off | due again | holds: credentials | holds: credentials, or puts off |
/// | 403 in the API's word | inquires: credentials, or puts off | the third, or a known key: holds: credentials, or puts off; else kept / kept | inquires: credentials, or puts off | due again | inquires: credentials / due again | due again |
/// | another, or none | tried again; five in a row: inquires: outage, or holds where they ask for a longer wait | the third: holds: outage; or puts off / due again | the second: holds: outage / due again | due again | due again | due again |
/// | redirect, certificate | holds: outage, or puts off | holds: outage, or puts off | holds: outage, or puts off | holds: outage | due again | holds: outage, or puts off |
/// | 429, dead connection | due again | due again | due again | due again | due again | due again |
package struct Holds: Sendable {
  package enum Reason: String, Sendable, Hashable {
    case credentials
    case outage
    /// Every key is refused with the same message.
    case refused
  }

  enum State: Sendable {
    case open(Failures)
    /// A canary is to find out what the trouble is.
    case inquiring(Inquiry, Canary)
    /// The trouble is shared.
    case holding(Hold, Canary)
  }

  /// What may be sent.
  package enum Permission: Sendable, Hashable {
    case open
    /// One canary, from now on.
    case probe(Canary.Choice)
    /// Nothing before this time; nil until the canary's reply has come.
    case closed(until: Seconds?)
  }

  var state = State.open(Failures())
  /// Refusals of keys by the API, and whether they are believed.
  var denials = Denials.unproven(Denials.Streak())
  /// Keys that were answered 403 once while another key succeeded later; they are tried again.
  var doubted: Set<Int64> = []
  var blame = Blame()
  /// Canaries sent since the API's last answer. One trouble may give way to another meanwhile.
  var canaries = 0
  /// Until when a failing server wants no requests.
  var quietUntil: Seconds = -.infinity
  /// Failures in a row, of more than one key, that suggest an outage. Doubles each time a canary shows that there was
  /// none (a server may refuse the first attempt of every key), and starts over with an outage.
  var patience = Self.patiences.lowerBound
  var retry: RetryPolicy
  var random: SplitMix64

  static let patiences = 5...40
  /// The longest Retry-After of a failing server that is obeyed, in seconds. If it asks for more, it is probed once in
  /// this time.
  static let longestAsked: Seconds = 3_600

  package init(retry: RetryPolicy, seed: UInt64) {
    self.retry = retry
    random = SplitMix64(seed: seed)
  }

  /// The current hold, nil while there is none.
  package var hold: Hold? {
    if case .holding(let hold, _) = state { hold } else { nil }
  }

  /// When the API's refusals of keys stand if no other key is sent; nil while none waits.
  package var denialsStandFrom: Seconds? { denials.standFrom }

  /// When the next probe of a hold goes; nil without a hold, and while one is in flight.
  package var nextProbe: Seconds? {
    guard case .holding(_, let canary) = state, canary.inFlight == nil else { return nil }
    return canary.due
  }

  package var isOpen: Bool {
    if case .open = state { true } else { false }
  }

  /// Keys that wait for other keys to be answered.
  package var waiting: Int {
    let kept =
      switch state {
      case .open(let failures), .inquiring(.outage(let failures), _): failures.exhausted.count
      case .inquiring(.credentials(let suspicion), _): suspicion.suspects.count + suspicion.failures.exhausted.count
      case .holding: 0
      }
    return kept + denials.kept.count
  }

  package func gate(now: Seconds) -> Permission {
    switch state {
    case .open: .open
    case .inquiring(let inquiry, let canary): canary.gate(inquiry.choice(after: canaries), now: now)
    case .holding(let hold, let canary): canary.gate(hold.choice(after: canaries, hasBlame: !blame.isEmpty), now: now)
    }
  }

  /// Whether a canary that came back goes behind the other keys. Refused keys make room for different ones. In an
  /// outage the same key is tried several times first: a server may refuse the first attempt of every key.
  package var rotatesCanaries: Bool {
    switch state {
    case .holding(let hold, let canary) where hold.reason == .outage: canary.returns % 4 == 0
    default: true
    }
  }

  /// A canary was sent, as the request of this order.
  package mutating func probeSent(order: Int) {
    canaries += 1
    changeCanary { $0.inFlight = order }
  }

  mutating func changeCanary(_ change: (inout Canary) -> Void) {
    switch state {
    case .open: break
    case .inquiring(let inquiry, var canary):
      change(&canary)
      state = .inquiring(inquiry, canary)
    case .holding(let hold, var canary):
      change(&canary)
      state = .holding(hold, canary)
    }
  }

  /// The canary of the current state, or a new one.
  var canary: Canary {
    switch state {
    case .open: Canary(due: -.infinity)
    case .inquiring(_, let canary), .holding(_, let canary): canary
    }
  }
}

// MARK: - Events other than replies

extension Holds {
  /// New credentials or settings. What was refused under the old ones counts against no key, holds end, and unless all
  /// was well one request probes before others follow.
  ///
  /// - Parameter isNew: The credentials or the endpoint have changed. A failing server's delay stays in force for the
  ///   same one.
  package mutating func reloaded(retry: RetryPolicy, isNew: Bool, now: Seconds) -> [Effect] {
    self.retry = retry
    if isNew { quietUntil = -.infinity }
    var effects: [Effect] = denials.forget().map { .release($0.job) }
    doubted.removeAll()
    let next = Canary(due: now, inFlight: canary.inFlight)
    switch state {
    case .open: break
    case .inquiring(.credentials(let suspicion), _):
      effects += suspicion.suspects.map { .release($0.job) }
      state = .inquiring(.credentials(Suspicion(failures: suspicion.failures)), next)
    case .inquiring(.outage(let failures), _): state = .inquiring(.outage(failures), next)
    case .holding(let hold, _) where hold.reason == .outage && quietUntil > now: break
    case .holding(let hold, _):
      effects.append(.ended(hold.reason))
      switch hold.reason {
      case .credentials: state = .inquiring(.credentials(Suspicion()), next)
      case .outage: state = .inquiring(.outage(Failures()), next)
      case .refused: state = .open(Failures())
      }
    }
    return effects
  }

  /// A failing server asked an earlier run to come back later.
  package mutating func resumeWait(_ asked: AskedToWait, now: Seconds) {
    let seconds = min(asked.seconds, Self.longestAsked)
    guard seconds > Self.longestInquiry, case .open = state else { return }
    quietUntil = now + seconds
    let hold = Hold(reason: .outage, fault: asked.fault, since: asked.since, began: now)
    state = .holding(hold, Canary(due: quietUntil))
  }

  /// The operator accepts what the API says of every key: `keyreg resume`. If it says something else later, that is
  /// another matter.
  package mutating func believe() -> [Effect] {
    guard case .holding(let hold, _) = state, hold.reason == .refused else { return [] }
    denials.accept(hold.fault)
    state = .open(Failures())
    return [.ended(.refused)]
  }

  /// Nothing is in flight and nothing else is due, so no other answer will decide on the keys that wait for one.
  package mutating func idle(at moment: Moment) -> [Effect] {
    guard case .open(let failures) = state else { return [] }
    // Too few to suspect a rule: what the API said of them stands.
    let isOver = denials.standFrom.map { moment.now >= $0 } ?? false
    let effects = isOver ? denials.release().map { judge($0) } : []
    guard let fault = failures.exhausted.last?.fault else { return effects }
    if quietUntil > moment.now + Self.longestInquiry { return effects + hold(.outage, fault, at: moment) }
    inquire(.outage(failures), now: moment.now)
    return effects
  }

  /// A canary is needed, but there is no other key to send: all that are left are waiting for one.
  /// That is a hold, and they become the canaries.
  package mutating func noCanary(at moment: Moment) -> [Effect] {
    guard case .inquiring(let inquiry, _) = state else { return [] }
    switch inquiry {
    case .credentials(let suspicion):
      if let fault = suspicion.suspects.last?.fault {
        return hold(.credentials, fault, triggers: suspicion.rows, at: moment)
      }
      guard let fault = suspicion.failures.exhausted.last?.fault else { return [] }
      return hold(.outage, fault, at: moment)
    case .outage(let failures):
      guard let fault = failures.exhausted.last?.fault ?? failures.last else { return [] }
      return hold(.outage, fault, at: moment)
    }
  }
}
