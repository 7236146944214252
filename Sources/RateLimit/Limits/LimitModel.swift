// What the six models of a limit have in common. A model is a value that knows one kind of limit: it says when a request
// may go, and learns from replies. Which model is in charge, and which follows it, is decided in Limit.swift.
//
// Told by headers: WindowLimit, SlidingLimit, RefillLimit. Not told by anybody: SearchedLimit, CountedLimit, PacedLimit.
//
// Behind a number of the pacing stand the situations of `pacing-report` that get clearly worse when it is halved or
// doubled (with seeds 1...2; by a hundredth of efficiency, or about one refusal in a thousand or one per cent of harm),
// the worst four at most. A number without any either matters less, or guards against what no named situation has.

protocol LimitModel: Sendable {
  /// What the limit grants; nil while nothing, or only a rate, is known.
  var granted: Allowance? { get }
  /// Where it is known from.
  var source: Standing.Source { get }

  // MARK: Before a request

  func turn(_ ask: Ask) -> Turn
  /// Requests in flight at most; nil where the limit does not bound them.
  func ceiling(now: Seconds) -> Int?

  // MARK: What it tells

  /// Requests that may still be sent before the limit is reached, what is left to others included.
  func available(_ ask: Ask) -> Int
  /// Requests of those that are left to others.
  func reserved(_ ask: Ask) -> Int
  /// Seconds until requests are granted anew.
  func resetsIn(_ ask: Ask) -> Seconds
  /// What it will bring us, others' use and the operator's reserve taken off; nil while that cannot be told.
  func supply(_ ask: Ask) -> Supply?
  /// What is worth keeping over a restart.
  func learned(name: String?) -> LearnedLimits.Limit?

  // MARK: What it is told

  /// The operator changed what is left to others.
  mutating func apply(_ reserve: PacerSettings.Reserve)
  mutating func sent(_ flight: Flight)
  /// The request did not cost quota after all.
  mutating func giveBack(_ flight: Flight)
  /// A reply that counts this limit.
  mutating func observe(_ reading: RateLimitReading, _ reply: ReceivedReply) -> Successor?
  /// A reply that says nothing of this limit.
  mutating func observeSilence(_ reply: ReceivedReply)
  /// The period, which no reply names, turned out to be longer.
  mutating func lengthen(to period: Seconds)
  /// A request passed.
  mutating func succeeded(_ reply: ReceivedReply) -> Successor?
  /// A 429.
  ///
  /// - Parameter wait: its Retry-After, capped.
  mutating func refuse(_ reading: RateLimitReading?, wait: Seconds?, _ reply: ReceivedReply) -> Refusal

  /// Whether less than a tenth of a window is left, as far as was last told.
  var isNearlyEmpty: Bool { get }
  /// Whether replies whose Reset rises as the count falls show that this model is wrong.
  var yieldsToRefill: Bool { get }
}

/// What a refusal means.
enum Refusal: Hashable, Sendable {
  /// Nobody need stop: it is of a window that is over, or was expected.
  case ignored
  /// It is of another limit than this one.
  case elsewhere
  /// Nobody passes before an instant. Then one asks. The model may have been proved wrong by it.
  case closed(until: Seconds, Successor? = nil)
  /// This model is wrong; the one that follows judges the refusal.
  case disproved(Successor)
}

/// The model that replies show to fit better than the one in charge.
enum Successor: Hashable, Sendable {
  case sliding(remaining: Int)
  case searched
  case counted(Allowance, edge: Seconds?)
  case paced
}

extension LimitModel {
  var granted: Allowance? { nil }
  var isNearlyEmpty: Bool { false }
  var yieldsToRefill: Bool { false }

  func ceiling(now: Seconds) -> Int? { nil }
  func available(_ ask: Ask) -> Int { 0 }
  func reserved(_ ask: Ask) -> Int { 0 }
  func resetsIn(_ ask: Ask) -> Seconds { 0 }
  func supply(_ ask: Ask) -> Supply? { nil }
  func learned(name: String?) -> LearnedLimits.Limit? { granted.map { .init(name: name, allowance: $0) } }

  mutating func apply(_ reserve: PacerSettings.Reserve) {}
  mutating func sent(_ flight: Flight) {}
  mutating func giveBack(_ flight: Flight) {}
  mutating func observe(_ reading: RateLimitReading, _ reply: ReceivedReply) -> Successor? { nil }
  mutating func observeSilence(_ reply: ReceivedReply) {}
  mutating func lengthen(to period: Seconds) {}
  mutating func succeeded(_ reply: ReceivedReply) -> Successor? { nil }
}
