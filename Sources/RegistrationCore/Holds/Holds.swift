package import RateLimit
import Registration

/// Whether the trouble that a reply shows is the key's own or everybody's, what may be sent until that is known, and what
/// becomes of each key: the one author of outcomes.
///
/// A pure value: replies and times go in, effects come out. While it is not known whose trouble it is, nothing but one
/// canary at a time is sent. Answered, the keys were at fault; refused too, nobody is charged and the daemon *holds*, asking
/// ever more slowly until the cause is gone. So neither a credential that expires at night, nor hours of outage, nor a list
/// of another organisation's keys can turn keys into failures.
///
/// What a reply does in each state. The first line of a cell is for a canary's reply, the second for those that were under
/// way before; one line is for both. "Judged": see `Denials`. "Due again": the key goes back untouched.
///
/// | reply | open | inquiring: credentials | inquiring: outage | holding: credentials | holding: outage | holding: refused |
/// |---|---|---|---|---|---|---|
/// | registered | recorded; charges who is out of attempts | believes the 403s before it; open when none is left / recorded | charges; open / recorded | open / recorded | open / recorded | open |
/// | the API's word on the key | judged; charges | judged; the next canary / judged | judged; charges; open / judged | judged; open / due again | judged; open / due again | due again |
/// | 401 | holds: credentials, or puts off | holds: credentials | holds: credentials | due again | holds: credentials | holds: credentials |
/// | 403 in the API's word | inquires: credentials | the third, or a known key: holds: credentials; else kept / kept | inquires: credentials | due again | inquires: credentials / due again | due again |
/// | another, or none | charged; five in a row: inquires: outage, or holds where they ask for a longer wait | the third: holds: outage / due again | holds: outage / due again | due again | due again | due again |
/// | redirect, certificate | holds: outage, or puts off | holds: outage | holds: outage | holds: outage | due again | holds: outage |
/// | 429, dead connection | due again | due again | due again | due again | due again | due again |
package struct Holds: Sendable {
  package enum Reason: String, Sendable, Hashable {
    case credentials
    case outage
    /// Whatever key is asked about is refused in the same words.
    case refused
  }

  enum State: Sendable {
    case open(Failures)
    /// A canary is to tell what the trouble is.
    case inquiring(Inquiry, Canary)
    /// It is everybody's.
    case holding(Hold, Canary)
  }

  /// What may be sent.
  package enum Gate: Sendable, Hashable {
    case open
    /// One canary, from now on.
    case probe(Canary.Choice)
    /// Nothing before this time; nil until the reply to the canary has come.
    case closed(until: Seconds?)
  }

  var state = State.open(Failures())
  /// Refusals of keys in the API's word, and whether they are believed.
  var denials = Denials.unproven(Denials.Streak())
  /// Keys that were answered 403 once while another succeeded afterwards; they are being asked again.
  var doubted: Set<Int64> = []
  var blame = Blame()
  /// Until when a server in trouble has asked to be left alone.
  var quietUntil: Seconds = -.infinity
  /// Failures in a row, of more than one key, that raise the suspicion of an outage. Doubles each time a canary has
  /// shown that it was none (a server may well refuse the first attempt of every key), and begins anew with an outage.
  var patience = Self.patiences.lowerBound
  var retry: RetryPolicy
  var random: SplitMix64

  static let patiences = 5...40
  /// The longest Retry-After of a failing server that is obeyed, in seconds. Whoever asks for more is asked once in it.
  static let longestAsked: Seconds = 3_600

  package init(retry: RetryPolicy, seed: UInt64) {
    self.retry = retry
    random = SplitMix64(seed: seed)
  }

  /// The present hold, nil while there is none.
  package var hold: Hold? {
    if case .holding(let hold, _) = state { hold } else { nil }
  }

  package var isOpen: Bool {
    if case .open = state { true } else { false }
  }

  /// Keys that wait for what others are answered.
  package var waiting: Int {
    let kept =
      switch state {
      case .open(let failures), .inquiring(.outage(let failures), _): failures.exhausted.count
      case .inquiring(.credentials(let suspicion), _): suspicion.suspects.count
      case .holding: 0
      }
    return kept + denials.kept.count
  }

  package func gate(now: Seconds) -> Gate {
    switch state {
    case .open: .open
    case .inquiring(let inquiry, let canary): canary.gate(inquiry.choice, now: now)
    case .holding(let hold, let canary): canary.gate(hold.choice, now: now)
    }
  }

  /// Whether a canary that has come back goes behind the other keys. Refused keys make room for different ones. In an
  /// outage the same key goes several times first: it may be the server that wants it so.
  package var rotatesCanaries: Bool {
    switch state {
    case .holding(let hold, let canary) where hold.reason == .outage: canary.returns % 4 == 0
    default: true
    }
  }

  /// A canary is on its way.
  package mutating func probeSent() {
    changeCanary { $0.isOut = true }
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

  /// The canary of the present state, a new one when it has none.
  var canary: Canary {
    switch state {
    case .open: Canary(due: -.infinity)
    case .inquiring(_, let canary), .holding(_, let canary): canary
    }
  }
}

// MARK: - What is not a reply

extension Holds {
  /// New credentials or settings: what was refused under the old ones counts against nobody, holds end, and unless all was
  /// well one request asks at once before others follow.
  ///
  /// - Parameter isNew: Credentials or endpoint are others. What a server in trouble has asked for holds for the same one.
  package mutating func reloaded(retry: RetryPolicy, isNew: Bool, now: Seconds) -> [Effect] {
    self.retry = retry
    if isNew { quietUntil = -.infinity }
    var effects: [Effect] = denials.forget().map { .release($0.job) }
    doubted.removeAll()
    let next = Canary(due: now, isOut: canary.isOut)
    switch state {
    case .open: break
    case .inquiring(.credentials(let suspicion), _):
      effects += suspicion.suspects.map { .release($0.job) }
      state = .inquiring(.credentials(Suspicion()), next)
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

  /// A server in trouble had asked an earlier run to come again later.
  package mutating func goOnWaiting(_ asked: AskedToWait, now: Seconds) {
    let seconds = min(asked.seconds, Self.longestAsked)
    guard seconds > Self.longestInquiry, case .open = state else { return }
    quietUntil = now + seconds
    let hold = Hold(reason: .outage, fault: asked.fault, since: asked.since, began: now)
    state = .holding(hold, Canary(due: quietUntil))
  }

  /// The operator has seen what the API says of every key, and means it: `keyreg resume`.
  package mutating func believe() -> [Effect] {
    guard case .holding(let hold, _) = state, hold.reason == .refused else { return [] }
    _ = denials.believe()
    state = .open(Failures())
    return [.ended(.refused)]
  }

  /// Nothing is in flight and nothing else is due: what waits for somebody else's answer would wait forever.
  package mutating func idle(now: Seconds) -> [Effect] {
    guard case .open(let failures) = state else { return [] }
    // Too few to suspect a rule: they are what the API says they are.
    let effects = denials.release().map { judge($0) }
    if !failures.exhausted.isEmpty { inquire(.outage(failures), now: now) }
    return effects
  }

  /// A canary is wanted, but there is no other key to send: the keys that wait are all there is, and every one of them
  /// fails. That is a hold, and they themselves become the canaries.
  package mutating func noCanary(at moment: Moment) -> [Effect] {
    guard case .inquiring(let inquiry, _) = state else { return [] }
    switch inquiry {
    case .credentials(let suspicion):
      guard let fault = suspicion.suspects.last?.fault else { return [] }
      return hold(.credentials, fault, at: moment)
    case .outage(let failures):
      guard let fault = failures.exhausted.last?.fault ?? failures.last else { return [] }
      return hold(.outage, fault, at: moment)
    }
  }
}
