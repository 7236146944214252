// When the next request may go in a fixed window.
//
// In such a window only two things decide when the work is done: how much of every window is used up, and when the last
// one is begun. So requests are spread while the backlog needs more than this window, which leaves neighbours alone and
// keeps tokens for a limit that is raised; and they go at full speed once the backlog fits into what is left.

extension WindowLimit {
  /// How much faster than even the window is used while others use it too, so that the end is not a rush.
  private static let tempo = 1.15
  /// The same while nobody else does: what is sent early cannot be lost to an outage. More where the windows may turn out
  /// not to be fixed.
  private static let tempoAlone = 1.85
  private static let tempoUnsure = 10.0
  /// The fastest of all together while others are about, in multiples of the even rate.
  private static let rush = 16.0
  /// From here on, in the same multiples, the window will be empty long before its end.
  private static let contention = 1.8

  func turn(_ ask: Ask) -> Turn {
    let now = ask.now
    let raw = left(ask)
    if now >= edge.end.high + lateness {
      // The window is over and nobody has said what the new one holds. What was left of the old one passes either way.
      return raw > max(withheld, others.reserve(allowance, left: period, roundTrip: ask.roundTrip)) ? .go : .probe
    }
    // No window ends later than a period from now: replies out of all order have led astray.
    if edge.isAbsurd(at: now, period: period) { return .probe }
    let quiet = others.isQuiet(allowance)
    // The rest fits: finish. What is left to nobody in particular would only delay the last few keys.
    if quiet && ask.backlog <= raw - withheld { return .go }
    let usable = raw - kept(ask)
    if usable < 1 { return whenEmpty(ask, raw: raw) }
    let next = quiet ? alone(ask, usable: usable) : shared(ask, raw: raw, usable: usable)
    return next > now ? .wait(until: next) : .go
  }

  /// Requests of what remains that are not ours to take now.
  func kept(_ ask: Ask) -> Int {
    max(withheld, others.reserve(allowance, left: edge.end.low - ask.now, roundTrip: ask.roundTrip))
  }

  /// When the first request of the next window goes.
  private var wake: Seconds { edge.end.high + lateness + shift * 0.05 }

  /// What is left, less what others have probably taken since the last look where they are faster than the window lasts:
  /// of many daemons each looks seldom, and would find out by a refusal.
  private func left(_ ask: Ask) -> Int {
    let said = budget.available(inFlight: ask.inFlight)
    let age = ask.now - budget.readAt
    let unseen = others.recent * max(0, age)
    // Only of the last of it, and less of that the older the count: who never looks again leaves it to the others.
    let last = (age < 0.1 * period ? 0.15 : 0.1) * allowance.tokens
    guard unseen >= 1, others.recent > 1.5 * allowance.rate, Double(said) < last else { return said }
    return said - Int(clamping: min(unseen, allowance.tokens))
  }

  /// Seconds of the window in which a request is still counted in it for sure.
  private func usableTime(_ ask: Ask) -> Seconds {
    let margin = max(1.5 * ask.roundTrip, 0.02 * period) + edge.end.width
    return max(0, edge.end.low - ask.now - margin)
  }

  /// When the next request goes while nobody else is about.
  private func alone(_ ask: Ask, usable: Int) -> Seconds {
    let even = usableTime(ask) / Double(usable)
    guard edge.isAligned != true else { return ask.lastSentAt + even / Self.tempoAlone }
    return ask.lastSentAt + min(even, 1 / allowance.rate) / Self.tempoUnsure
  }

  /// When the next request goes while others use the window too.
  private func shared(_ ask: Ask, raw: Int, usable: Int) -> Seconds {
    let limit = allowance.tokens
    let untilEnd = edge.end.low - ask.now
    let pressure = others.pressure(own: budget.own, allowance: allowance, now: ask.now)
    let isCrowded = pressure > Self.contention && others.taken > max(3 * Double(budget.own), 8, 0.03 * limit)
    // Daemons that all take what they see would empty the window within a round trip.
    let shortest = min(max(1, pressure / Self.rush), 2 * Self.rush) / (Self.rush * allowance.rate)
    // The rest fits, whatever the others will want: finish.
    if !isCrowded, ask.backlog <= usable,
      Double(ask.backlog) <= Double(raw) - others.demand(allowance, left: untilEnd)
    {
      return ask.lastSentAt + shortest
    }
    // Too late to arrive before the reset for sure, and not worth a rush.
    let few = 10 + 4 * others.rate * ask.roundTrip + 0.05 * limit
    if untilEnd < 0.7 * ask.roundTrip && period > 5 && Double(usable) < few {
      let clear = edge.end.low + ask.roundTrip
      return clear > ask.now ? min(wake, clear) : wake
    }
    // What the reserve releases towards the end is not dumped at once.
    let left = usableTime(ask)
    var even = left / (Double(usable) * Self.tempo)
    if isCrowded {
      // All see the same pressure and slow down alike, so that shares stay equal.
      even *= min(pressure / Self.contention, 8)
      // Of the end each takes the share that it had of the rest.
      let own = max(1, Double(raw) * others.share(own: budget.own))
      if left == 0 { even = max(even, max(untilEnd, ask.roundTrip) / own) }
    }
    return min(wake, ask.lastSentAt + max(even, shortest))
  }

  private func whenEmpty(_ ask: Ask, raw: Int) -> Turn {
    let now = ask.now
    if let doubtAt = doubtAt(ask) { return doubtAt <= now ? .probe : .wait(until: min(doubtAt, wake)) }
    if raw < 1 {
      return .wait(until: budget.remaining < 1 || budget.own >= budget.limit ? wake : min(wake, now + 0.5))
    }
    // The reserve is released bit by bit as the window runs out.
    return .wait(until: min(wake, now + max(0.1, period / 100)))
  }

  /// A header alone says that the window is empty, at once, and neither we nor the usual others explain it: a replica that
  /// is behind still shows the last window. When to ask again, nil when there is nothing to doubt.
  private func doubtAt(_ ask: Ask) -> Seconds? {
    let limit = Double(budget.limit)
    guard windows > 0, !budget.isConfirmedEmpty, ask.inFlight == 0, doubts < 5, withheld == 0,
      others.taken - others.worst > 0.1 * limit, others.leap > 0.1 * limit,
      limit - Double(budget.own) - others.worst > 0.1 * limit,
      ask.now - startedAt < 0.5 * period, edge.end.low - ask.now > min(3, 0.3 * period)
    else { return nil }
    return budget.readAt + min(1.1, 0.1 * period) * Double(1 << doubts)
  }
}
