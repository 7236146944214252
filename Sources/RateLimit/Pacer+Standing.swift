// What the pacer tells of itself: where it stands, how long the backlog will take, and what to remember.

extension Pacer {
  /// Every limit that is obeyed now.
  package var limits: [KnownLimit] {
    if buckets.isEmpty {
      return unmetered.counted.map { [KnownLimit(name: nil, allowance: $0.allowance, source: $0.source)] } ?? []
    }
    return buckets.map { KnownLimit(name: $0.name, allowance: $0.allowance, source: .headers) }
  }

  /// What is worth keeping over a restart.
  package var learned: LearnedLimits {
    if buckets.isEmpty {
      guard let counted = unmetered.counted, counted.source != .assumed else { return LearnedLimits() }
      return LearnedLimits(limits: [.init(name: nil, allowance: counted.allowance)])
    }
    return LearnedLimits(
      limits: buckets.map { bucket in
        guard case .window(let window) = bucket.model else {
          return .init(name: bucket.name, allowance: bucket.allowance)
        }
        return .init(
          name: bucket.name, allowance: bucket.allowance, isAligned: window.edge.isAligned,
          takenByOthers: window.others.history)
      })
  }

  /// - Parameter backlog: keys that are not done, for the estimate.
  package func standing(now: Seconds, backlog: Int) -> Standing {
    var standing = Standing(reserved: 0, source: .none)
    let ask = ask(now: now, backlog: backlog)
    if let bucket = tightest(ask) {
      describe(bucket, ask, in: &standing)
    } else if let counted = unmetered.counted {
      describe(counted, ask, in: &standing)
    }
    standing.opensAt = opensAt(ask)
    standing.etaSeconds = supply(ask).map {
      Forecast(backlog: backlog, supply: $0, workers: settings.workers, roundTrip: roundTrips.mean).seconds
    }
    return standing
  }

  func ask(now: Seconds, backlog: Int) -> Ask {
    Ask(
      now: now, backlog: backlog, inFlight: flights.count, lastSentAt: lastSentAt, roundTrip: roundTrips.long, log: log)
  }

  /// The limit that lets the fewest requests pass.
  func tightest(_ ask: Ask) -> Bucket? {
    buckets.min { $0.available(ask) < $1.available(ask) }
  }

  private func supply(_ ask: Ask) -> Supply? {
    if let bucket = tightest(ask) { return bucket.supply(ask) }
    if let counted = unmetered.counted { return counted.supply(ask) }
    return unmetered.pacedRate.map { Supply(now: 0, wait: 0, tokens: $0, period: 1, isContinuous: true) }
  }

  private func describe(_ bucket: Bucket, _ ask: Ask, in standing: inout Standing) {
    standing.name = bucket.name
    standing.limit = bucket.allowance.count
    standing.period = bucket.allowance.period
    standing.remaining = bucket.available(ask)
    standing.reserved = bucket.reserved(ask)
    standing.resetsIn = bucket.resetsIn(ask)
    standing.source = .headers
  }

  private func describe(_ counted: CountedLimit, _ ask: Ask, in standing: inout Standing) {
    standing.limit = counted.allowance.count
    standing.period = counted.allowance.period
    standing.remaining = max(0, counted.allowance.count - counted.used(at: ask.now, ask.log) - ask.inFlight)
    standing.reserved = min(standing.remaining ?? 0, settings.withheld(of: counted.allowance.count))
    standing.resetsIn = counted.resetsIn(at: ask.now, ask.log)
    standing.source = counted.source
  }

  /// When the next request may go, nil when one may now; as `next` decides, without its effects.
  private func opensAt(_ ask: Ask) -> Seconds? {
    switch gate.state(at: ask.now) {
    case .closed(let until, _): return until
    case .probing: return ask.now
    case .asking: return nil
    case .open:
      let turns = buckets.isEmpty ? [unmetered.turn(ask)] : buckets.map { $0.turn(ask) }
      return turns.compactMap { turn in if case .wait(let until) = turn { until } else { nil } }.max()
    }
  }
}
