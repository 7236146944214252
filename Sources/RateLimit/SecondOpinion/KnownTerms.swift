// The names, limits and periods that replies have given. A service may have several of each.

struct KnownTerms: Sendable {
  private struct Terms: Hashable {
    var name: String?
    var limit: Int?
    var period: Seconds?
    /// Whether it was said how much is left.
    var hasCount: Bool

    init(_ reading: RateLimitReading) {
      (name, limit, period) = (reading.name, reading.limit, reading.period)
      hasCount = reading.remaining != nil
    }

    init(_ limit: LearnedLimits.Limit) {
      (name, self.limit, period, hasCount) = (limit.name, limit.allowance.count, limit.allowance.period, true)
    }

    /// Whether the others say nothing that these do not. A reply may leave something out.
    func cover(_ others: Terms) -> Bool {
      (others.name == nil || others.name == name) && (others.limit == nil || others.limit == limit)
        && (others.period == nil || others.period == period) && (hasCount || !others.hasCount)
    }
  }

  /// The most recent one is last.
  private var told: [Terms]
  /// What was set aside last, and how many replies have come since.
  private var odd: (terms: Terms, age: Int)?

  /// A second reply must come within this many replies to be believed.
  private static let memory = 20
  /// How many are kept at most: a server may make up new ones without end.
  private static let kept = 8

  init(_ remembered: [LearnedLimits.Limit]) { told = remembered.map(Terms.init) }

  /// Whether the terms of a reply are known, or are new and come for the second time. Of two odd replies in a row the
  /// second is believed, whatever it says.
  mutating func areLikely(_ reading: RateLimitReading, isThrottled: Bool) -> Bool {
    let new = Terms(reading)
    odd?.age += 1
    if let age = odd?.age, age > Self.memory { odd = nil }
    // Replies that say nothing of a limit do not contradict a refusal that does.
    let isContradicted =
      !told.contains { $0.cover(new) } && told.contains { $0.hasCount || !isThrottled }
    if isContradicted, odd?.terms != new, odd?.age != 1 {
      odd = (new, 0)
      return false
    }
    if isContradicted { odd = nil }
    told.removeAll { $0 == new }
    told = told.suffix(Self.kept - 1) + [new]
    return true
  }
}
