// What the pacer reports about itself: where it stands, how long the backlog will take, and what to remember.

extension Pacer {
  /// Every limit that is obeyed now.
  package var limits: [KnownLimit] {
    obeyed.compactMap { limit in
      limit.model.granted.map { KnownLimit(name: limit.name, allowance: $0, source: limit.model.source) }
    }
  }

  /// What is worth keeping across a restart; before the first request, what an earlier run kept.
  package var learned: LearnedLimits {
    LearnedLimits(limits: sequence == 0 ? obeyed.remembered : obeyed.compactMap { $0.model.learned(name: $0.name) })
  }

  /// - Parameter backlog: Keys without an outcome, for the estimate.
  package func standing(now: Seconds, backlog: Int) -> LimitStanding {
    let ask = ask(now: now, backlog: backlog)
    let (name, model) = shown(ask)
    var standing = LimitStanding(reserved: 0, source: model.source)
    if let granted = model.granted {
      standing.name = name
      standing.limit = granted.count
      standing.period = granted.period
      standing.remaining = model.available(ask)
      standing.ours = model.own(ask)
      standing.reserved = model.reserved(ask)
      standing.resetsIn = model.resetsIn(ask)
    }
    let opensAt = opensAt(ask)
    standing.opensAt = opensAt
    standing.etaSeconds = model.supply(ask).map {
      let forecast = Forecast(backlog: backlog, supply: $0, workers: settings.workers, roundTrip: roundTrips.mean)
      // A refusal may have closed the gate for longer than the limit's own count would.
      return backlog > 0 ? max(forecast.seconds, (opensAt ?? now) - now + roundTrips.mean) : forecast.seconds
    }
    return standing
  }

  /// The limit to report: the tightest. Before the first request, that is what an earlier run knew; a limit with a long
  /// period is not obeyed until a reply confirms it.
  private func shown(_ ask: Ask) -> (name: String?, model: any LimitModel) {
    let limit = obeyed.tightest(ask)
    guard limit.model.granted == nil, sequence == 0, let known = obeyed.remembered.first else {
      return (limit.name, limit.model)
    }
    let model = CountedLimit(
      allowance: known.allowance, source: .learned, edge: known.edge, reserve: settings.reserve, now: ask.now)
    return (known.name, model)
  }

  func ask(now: Seconds, backlog: Int) -> Ask {
    Ask(
      now: now, backlog: backlog, inFlight: flights.count, lastSentAt: lastSentAt, roundTrip: roundTrips.long, log: log)
  }

  /// Until when a refusal keeps everybody out, in seconds; nil when none does.
  package func closedUntil(now: Seconds) -> Seconds? {
    if case .closed(let until, _) = gate.state(at: now) { until } else { nil }
  }

  /// The request in flight that goes alone, to find out whether others may follow.
  package var probe: Permit? {
    if case .probing(let id, _, _) = gate { Permit(id: id) } else { nil }
  }

  private func opensAt(_ ask: Ask, asker: Gate.Asker?) -> Seconds? {
    let waits = obeyed.compactMap { limit in
      guard asker != .everyone, asker != limit.asker else { return nil as Seconds? }
      return if case .wait(let until) = limit.model.turn(ask) { until } else { nil }
    }
    return waits.max()
  }

  /// When the next request may go, nil when one may now. Decides like `next`, without its effects.
  private func opensAt(_ ask: Ask) -> Seconds? {
    switch gate.state(at: ask.now) {
    case .closed(let until, _): return until
    case .probing: return ask.now
    case .asking(let asker): return opensAt(ask, asker: asker)
    case .open: return opensAt(ask, asker: nil)
    }
  }
}
