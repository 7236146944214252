// Every limit that is obeyed. While no reply carries a count, this is one limit that no reply mentions; the first reply
// that does replaces it. A service may have several, distinguished by name or period.

struct Limits: RandomAccessCollection, MutableCollection, Sendable {
  private var all: [Limit]
  /// What an earlier run knew.
  let remembered: [LearnedLimits.Limit]
  private var settings: PacerSettings
  private var made = 0
  private var repetition = Repetition()
  /// Replies since a limit, by its number, was last mentioned, that named another period under its name.
  private var renamed: [Int: Int] = [:]

  /// Maximum names to distinguish: a server that makes up a name for every reply must not fill the memory.
  static let kept = 8
  /// Seconds for which a limit that is no longer mentioned, and not nearly used up, is kept.
  private static let memory: Seconds = 120
  /// Periods after which a limit that is no longer mentioned is forgotten, however little was left of it.
  private static let periodsRemembered = 2.0
  /// Replies in a row that name another period under the same name: the limit has changed. Of two that share a name, a
  /// server mentions now one and now the other.
  private static let periodChanged = 10
  /// Seconds assumed for the shortest window while no reply names its period: the first Reset may be its last.
  private static let shortestGuess: Seconds = 5  // T15

  init(settings: PacerSettings, learned: LearnedLimits?, now: Seconds) {
    self.settings = settings
    remembered = learned?.sanitized ?? []
    all = [Limit(settings: settings, learned: remembered.first, now: now)]
  }

  var startIndex: Int { all.startIndex }
  var endIndex: Int { all.endIndex }

  subscript(index: Int) -> Limit {
    get { all[index] }
    _modify { yield &all[index] }
  }

  /// The limit that no reply mentions. While there is one, there is no other.
  var untold: Int? { all[0].isTold ? nil : 0 }

  /// The limits that replies mention.
  var told: Range<Int> { untold == nil ? all.indices : 0..<0 }

  /// The limit that grants this much.
  func index(granting allowance: Allowance?) -> Int? {
    allowance.flatMap { allowance in all.firstIndex { $0.model.granted == allowance } }
  }

  /// The limit that lets the fewest requests pass.
  func tightest(_ ask: Ask) -> Limit {
    all.min { $0.model.available(ask) < $1.model.available(ask) } ?? all[0]
  }

  /// Maximum requests in flight; nil if no limit restricts them.
  func ceiling(now: Seconds) -> Int? { compactMap { $0.model.ceiling(now: now) }.min() }

  /// Seconds after which all that are known would let a request pass at the latest; nil if none is known.
  func latest(_ ask: Ask) -> Seconds? { compactMap { $0.model.latest(ask) }.max() }

  var longestPeriod: Seconds { compactMap { $0.model.granted?.period }.max() ?? 0 }

  /// Settings were reloaded.
  mutating func apply(_ settings: PacerSettings, now: Seconds) {
    self.settings = settings
    for index in indices { all[index].apply(settings, now: now) }
  }

  // MARK: The limit that a reply counts

  /// The limit that a reading counts against, created if it is new; nil when the reading has no count.
  mutating func index(of reading: RateLimitReading, _ reply: ReceivedReply) -> (index: Int, isNew: Bool)? {
    guard let remaining = reading.remaining else { return nil }
    if untold != nil, !reading.isTimed, !repetition.believesCount(reply) { return nil }
    forgetUnseen(now: reply.now)
    if let index = all.firstIndex(where: { $0.name == reading.name && $0.fits(reading) }) {
      let number = all[index].number
      forgetChanged(beside: all[index])
      return all.firstIndex { $0.number == number }.map { ($0, false) }
    }
    if let name = reading.name, let index = all.firstIndex(where: { $0.name == nil && $0.fits(reading) }) {
      all[index].rename(name)
      return (index, false)
    }
    if reading.name == nil, all.count == 1, all[0].fits(reading) { return (0, false) }
    let learned = remembered.first { $0.name == reading.name } ?? remembered.first { $0.name == nil }
    let known = learned?.allowance ?? settings.assume
    guard let count = reading.limit ?? known?.count ?? (remaining > 0 ? remaining + 1 : nil), all.count < Self.kept
    else {
      return nil
    }
    // A guess may be too short for a while: it grows with the first longer Reset.
    let period =
      reading.period ?? known?.period ?? reading.reset.map { Swift.max(Self.shortestGuess, UsualPeriod.nearest($0)) }
    made += 1
    if untold != nil { all = [] }
    all.append(
      Limit(
        number: made, reading: reading, count: count, period: period, learned: learned, settings: settings, reply))
    repetition.began(reading, reply)
    return (all.count - 1, true)
  }

  /// Any reply, before `index(of:_:)`. What one of them told and others do not repeat is given up.
  mutating func note(_ reading: RateLimitReading?, _ reply: ReceivedReply) {
    repetition.note(reading, reply)
    guard untold == nil, all.count == 1, repetition.isStale else { return }
    repetition.gaveUp()
    all = [Limit(settings: settings, learned: remembered.first, now: reply.now)]
  }

  /// Drops limits of the same name as the one that was mentioned now, if only that has been for a while: their period has
  /// changed.
  private mutating func forgetChanged(beside mentioned: Limit) {
    renamed[mentioned.number] = nil
    for other in all where other.isTold && other.number != mentioned.number && other.name == mentioned.name {
      renamed[other.number, default: 0] += 1
    }
    all.removeAll { renamed[$0.number, default: 0] >= Self.periodChanged }
    renamed = renamed.filter { number, _ in all.contains { $0.number == number } }
  }

  /// Drops limits that are no longer mentioned while others are: after two periods, or sooner if they hold nothing back
  /// (for example because the limit was replaced by one with another period).
  private mutating func forgetUnseen(now: Seconds) {
    guard all.count > 1, let newest = all.map(\.seenAt).max() else { return }
    all.removeAll { limit in
      let unseen = now - limit.seenAt
      let period = limit.model.granted?.period ?? 0
      return limit.seenAt < newest
        && (unseen > Self.periodsRemembered * period || (unseen > Self.memory && !limit.model.isNearlyEmpty))
    }
  }
}
