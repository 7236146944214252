// When the next request may go in a fixed window.
//
// In such a window only two things decide when the work is done: how much of every window is used, and when the last
// one begins. So requests are spread while the backlog needs more than this window, which leaves neighbours alone and
// keeps tokens in case the limit is raised. They go at full speed once the backlog fits into what is left.
//
// Worked values, for 600 requests in 60 s (even: one every 0.1 s) with 45 s to go, 400 left and a long round trip of 0.2 s.
// The margin at the end is 1.2 s, so 43.8 s are usable:
//
//   alone, calendar aligned        43.8 / 400 / 1.85       one every 0.059 s
//   alone, not known to be so      0.1 / 10                one every 0.01 s
//   with others, 40 kept for them  43.8 / (360 × 1.15)     one every 0.106 s

extension WindowLimit {
  /// How much faster than evenly the window is used while others use it too, so that there is no rush at the end.
  private static let tempo = 1.15  // S08, T06, T08, T10
  /// The same without others: what is sent early cannot be lost to an outage.
  private static let tempoAlone = 1.85  // S09, S15, T05, T10
  /// The same when the windows may turn out not to be fixed.
  private static let tempoUnsure = 10.0  // S04
  /// The fastest of all together while others are about, in multiples of the even rate.
  private static let rush = 16.0  // T08, T10
  /// How far at most a crowd slows us below that.
  private static let rushSlowed = 2.0

  /// Seconds after an edge over which daemons spread their first requests.
  static let scatter: Seconds = 0.05  // T05, T09
  /// Long round trips before the end after which a request may be counted in the next window.
  private static let arrival = 1.5  // S08, T05
  /// The same as a share of the period, if that is longer.
  private static let arrivalShare = 0.02  // T06, T08, T09

  func turn(_ ask: Ask) -> Turn {
    let now = ask.now
    let raw = left(ask)
    if now >= edge.end.high + lateness {
      // The window is over, and no reply has shown the new one. What was left of the old one passes in any case.
      return raw > max(withheld, others.reserve(allowance, left: period, roundTrip: ask.roundTrip)) ? .go : .probe
    }
    // No window ends later than a period from now: replies in the wrong order were misleading.
    if edge.isAbsurd(at: now, period: period) { return .probe }
    let quiet = others.isQuiet(allowance)
    // The rest fits: finish. Keeping tokens for nobody in particular would only delay the last few keys.
    if quiet && ask.backlog <= raw - withheld { return .go }
    let usable = raw - kept(ask)
    if usable < 1 { return whenEmpty(ask, raw: raw) }
    let next = quiet ? alone(ask, usable: usable) : shared(ask, raw: raw, usable: usable)
    return next > now ? .wait(until: next) : .go
  }

  /// Remaining requests that are not ours to take now.
  func kept(_ ask: Ask) -> Int {
    max(withheld, others.reserve(allowance, left: edge.end.low - ask.now, roundTrip: ask.roundTrip))
  }

  /// When the first request of the next window goes.
  private var wake: Seconds { edge.end.high + lateness + shift * Self.scatter }

  /// Seconds of the window in which a request is certainly still counted in it.
  private func usableTime(_ ask: Ask) -> Seconds {
    let margin = max(Self.arrival * ask.roundTrip, Self.arrivalShare * period) + edge.end.width
    return max(0, edge.end.low - ask.now - margin)
  }

  /// When the next request goes while nobody else is present.
  private func alone(_ ask: Ask, usable: Int) -> Seconds {
    let even = usableTime(ask) / Double(usable)
    guard edge.isAligned != true else { return ask.lastSentAt + even / Self.tempoAlone }
    return ask.lastSentAt + min(even, 1 / allowance.rate) / Self.tempoUnsure
  }

  // MARK: While others use it too

  /// A count older than this share of the period is an old look.
  private static let oldLook = 0.1  // S08, T09
  /// The last part of a window, as a share of the limit, of which others may have taken some since the last look …
  private static let last = 0.15  // T09
  /// … and after an old look: a client that never looks again leaves it to the others.
  private static let lastAfterOldLook = 0.1  // S08, T09
  /// Above this multiple of the even rate, others use the window up before its end.
  private static let fast = 1.5  // T08

  /// Above this multiple of the even rate, the window will be empty long before its end.
  private static let contention = 1.8  // T08, T09
  /// Several others are present when they have taken this many times what we have, …
  private static let crowd = 3.0  // T08, T09
  /// … this many tokens, …
  private static let crowdTokens = 8.0
  /// … and this share of the limit.
  private static let crowdShare = 0.03
  /// How far at most a crowd slows us below the even rate.
  private static let crowdSlowed = 8.0  // T09

  /// Long round trips before the end after which a request is more likely to be counted in the next window.
  private static let tooLate = 0.7
  /// A window of fewer seconds than this is too short to leave out its end.
  private static let tooShort: Seconds = 5
  /// This many tokens may be left over at the end: some, …
  private static let few = 10.0
  /// … what others take in this many long round trips, …
  private static let fewRoundTrips = 4.0
  /// … and this share of the limit.
  private static let fewShare = 0.05

  /// What is left, minus what others have probably taken since the last look if they are fast enough to empty the
  /// window. With many daemons each looks seldom, and would otherwise find out by a refusal.
  private func left(_ ask: Ask) -> Int {
    let said = budget.available(inFlight: ask.inFlight)
    let age = ask.now - budget.readAt
    let unseen = others.recent * max(0, age)
    let last = (age < Self.oldLook * period ? Self.last : Self.lastAfterOldLook) * allowance.tokens
    guard unseen >= 1, others.recent > Self.fast * allowance.rate, Double(said) < last else { return said }
    return said - Int(clamping: min(unseen, allowance.tokens))
  }

  /// When the next request goes while others use the window too.
  private func shared(_ ask: Ask, raw: Int, usable: Int) -> Seconds {
    let limit = allowance.tokens
    let untilEnd = edge.end.low - ask.now
    let pressure = others.pressure(own: budget.own, allowance: allowance, now: ask.now)
    let isCrowded =
      pressure > Self.contention
      && others.takenByPresent > max(Self.crowd * Double(budget.own), Self.crowdTokens, Self.crowdShare * limit)
    // Daemons that all take what they see would empty the window within one round trip.
    let shortest = min(max(1, pressure / Self.rush), Self.rushSlowed * Self.rush) / (Self.rush * allowance.rate)
    // The rest fits, whatever the others want: finish.
    if !isCrowded, ask.backlog <= usable, Double(ask.backlog) <= Double(raw) - others.demand(allowance, left: untilEnd)
    {
      return ask.lastSentAt + shortest
    }
    // Too late to arrive before the reset with certainty, and not worth a rush.
    let few = Self.few + Self.fewRoundTrips * others.rate * ask.roundTrip + Self.fewShare * limit
    if untilEnd < Self.tooLate * ask.roundTrip && period > Self.tooShort && Double(usable) < few {
      let clear = edge.end.low + ask.roundTrip
      return clear > ask.now ? min(wake, clear) : wake
    }
    // What the reserve releases towards the end is not spent at once.
    let left = usableTime(ask)
    var even = left / (Double(usable) * Self.tempo)
    if isCrowded {
      // All see the same pressure and slow down equally, so that shares stay equal.
      even *= min(pressure / Self.contention, Self.crowdSlowed)
      // At the end each takes the share that it had of the rest.
      let own = max(1, Double(raw) * others.share(own: budget.own))
      if left == 0 { even = max(even, max(untilEnd, ask.roundTrip) / own) }
    }
    return min(wake, ask.lastSentAt + max(even, shortest))
  }

  // MARK: When it is empty

  /// Seconds before another look at an empty window that our own use does not explain.
  private static let recheck: Seconds = 0.5  // T09
  /// The share of a period before another look at what the reserve has released …
  private static let release = 0.01  // T06
  /// … and a minimum in seconds.
  private static let shortestRelease: Seconds = 0.1

  /// Maximum probes per window that ask whether an empty window is really empty.
  private static let doubtsAtMost = 5
  /// A share of the limit that others are unlikely to have taken unseen.
  private static let implausible = 0.1  // T09
  /// The share of a window after which its emptiness is no longer doubted.
  private static let doubtedFor = 0.5  // S08, T05
  /// Seconds before the end after which a probe is not worthwhile …
  private static let notWorth: Seconds = 3
  /// … and the same as a share of the period, if that is shorter.
  private static let notWorthShare = 0.3
  /// Seconds before the first probe, so that a replica can catch up; doubled for each further one …
  private static let doubtAfter: Seconds = 1.1
  /// … and the same as a share of the period, if that is shorter.
  private static let doubtAfterShare = 0.1  // T05

  private func whenEmpty(_ ask: Ask, raw: Int) -> Turn {
    let now = ask.now
    if let doubtAt = doubtAt(ask) { return doubtAt <= now ? .probe : .wait(until: min(doubtAt, wake)) }
    if raw < 1 {
      return .wait(until: budget.remaining < 1 || budget.own >= budget.limit ? wake : min(wake, now + Self.recheck))
    }
    // The reserve is released bit by bit towards the end of the window.
    return .wait(until: min(wake, now + max(Self.shortestRelease, period * Self.release)))
  }

  /// Only a header says that the window is empty, right at its start, and neither we nor the usual others explain it: a
  /// replica that is behind may still show the last window. When to probe, nil when there is nothing to doubt.
  private func doubtAt(_ ask: Ask) -> Seconds? {
    let limit = Double(budget.limit)
    let implausible = Self.implausible * limit
    guard windows > 0, !budget.isConfirmedEmpty, ask.inFlight == 0, doubts < Self.doubtsAtMost, withheld == 0,
      others.taken - others.worst > implausible, others.leap > implausible,
      limit - Double(budget.own) - others.worst > implausible, ask.now - startedAt < Self.doubtedFor * period,
      edge.end.low - ask.now > min(Self.notWorth, Self.notWorthShare * period)
    else { return nil }
    return budget.readAt + min(Self.doubtAfter, Self.doubtAfterShare * period) * Double(1 << doubts)
  }
}
