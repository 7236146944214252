// What the models of a limit have in common. A model is a value that knows one kind of limit: it says when a
// request may go, and learns from replies. Limit.swift decides which model is in charge and which follows it.
//
// From headers: WindowLimit, SlidingLimit, RefillLimit, and UntimedLimit until a period is known. Without headers:
// SearchedLimit, CountedLimit, PacedLimit.
//
// The codes after a constant are the scenarios of `pacing-report` that get clearly worse when it is halved or doubled
// (seeds 1...2; by a hundredth of efficiency, or about one refusal in a thousand or one per cent of harm), at most the
// worst four. A constant without a code matters less, or guards against something that no scenario contains.

protocol LimitModel: Sendable {
  /// What the limit grants; nil while nothing, or only a rate, is known.
  var granted: Allowance? { get }
  /// Where it is known from.
  var source: LimitStanding.Source { get }

  // MARK: Before a request

  func turn(_ ask: Ask) -> Turn
  /// Maximum requests in flight; nil if the limit does not restrict them.
  func ceiling(now: Seconds) -> Int?

  // MARK: Queries

  /// Requests that may still be sent before the limit is reached, including what is left to others.
  func available(_ ask: Ask) -> Int
  /// Requests of ours that it counts now, including those in flight; nil when they are not counted.
  func own(_ ask: Ask) -> Int?
  /// How many of those that are left, others may take.
  func reserved(_ ask: Ask) -> Int
  /// Seconds until requests are granted again.
  func resetsIn(_ ask: Ask) -> Seconds
  /// Seconds after which it would let a request pass at the latest; nil while unknown.
  func latest(_ ask: Ask) -> Seconds?
  /// What it will give us, after others' use and the operator's reserve; nil while unknown.
  func supply(_ ask: Ask) -> Supply?
  /// What is worth keeping across a restart.
  func learned(name: String?) -> LearnedLimits.Limit?

  // MARK: Events

  /// The operator changed what is left to others.
  mutating func apply(_ reserve: PacerSettings.Reserve)
  mutating func sent(_ flight: Flight)
  /// The request did not cost quota after all.
  mutating func giveBack(_ flight: Flight)
  /// A reply that counts against this limit.
  mutating func observe(_ reading: RateLimitReading, _ reply: ReceivedReply) -> Successor?
  /// A reply that does not mention this limit.
  mutating func observeSilence(_ reply: ReceivedReply)
  /// The period, which no reply names, proved to be longer.
  mutating func lengthen(to period: Seconds)
  /// A request passed.
  mutating func succeeded(_ reply: ReceivedReply) -> Successor?
  /// A 429.
  ///
  /// - Parameter wait: Its Retry-After, capped.
  mutating func refuse(_ reading: RateLimitReading?, wait: Seconds?, _ reply: ReceivedReply) -> Refusal

  /// Whether less than a tenth of a window is left, according to the last reply.
  var isNearlyEmpty: Bool { get }
  /// Whether replies whose Reset rises as the count falls show that this model is wrong.
  var yieldsToRefill: Bool { get }
}

/// What a refusal means.
enum Refusal: Hashable, Sendable {
  /// Nobody has to stop: it belongs to a window that is over, or was expected.
  case ignored
  /// It belongs to another limit.
  case elsewhere
  /// Nobody passes before an instant, then one request probes. The refusal may have proved the model wrong.
  case closed(until: Seconds, Successor? = nil)
  /// This model is wrong; its successor judges the refusal.
  case disproved(Successor)
}

/// A model that fits the replies better than the one in charge.
enum Successor: Hashable, Sendable {
  case sliding(remaining: Int)
  case searched
  case counted(Allowance, edge: Seconds?)
  case paced
  /// A limit whose replies show what is left; its period was learned.
  case shown(Allowance, remaining: Int)
  /// The same for what comes back all the time.
  case refilling(Allowance)
  /// The period that was learned is wrong.
  case untimed(remaining: Int, from: Seconds)
}

extension LimitModel {
  /// Whether less than a tenth is left.
  func isNearlyUsed(_ remaining: Int, of count: Int) -> Bool { remaining * 10 < count }

  var granted: Allowance? { nil }
  var isNearlyEmpty: Bool { false }
  var yieldsToRefill: Bool { false }

  func ceiling(now: Seconds) -> Int? { nil }
  func available(_ ask: Ask) -> Int { 0 }
  func own(_ ask: Ask) -> Int? { nil }
  func reserved(_ ask: Ask) -> Int { 0 }
  func resetsIn(_ ask: Ask) -> Seconds { 0 }
  func latest(_ ask: Ask) -> Seconds? { granted?.period }
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
