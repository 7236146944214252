// How long the backlog will take. In windows what counts is how many more windows are begun, so the estimate counts them,
// each with what others leave of it, and adds the time to send the rest of the last one.

struct Forecast {
  var seconds: Seconds

  /// Nil when there is nothing to go by.
  init?(pacer: Pacer, ask: Ask) {
    guard ask.backlog > 0 else {
      seconds = 0
      return
    }
    let service = pacer.roundTrips.mean / Double(max(1, pacer.concurrency.workers))
    guard let (grant, now, first) = Self.supply(pacer, ask) else { return nil }
    let backlog = Double(ask.backlog)
    if backlog <= now {
      seconds = backlog * service + pacer.roundTrips.mean
      return
    }
    let each = max(1, grant.tokens)
    let later = backlog - now
    let windows = (later / each).rounded(.up)
    let rest = later - (windows - 1) * each
    seconds = first + (windows - 1) * grant.period + rest * service + pacer.roundTrips.mean
  }

  /// What a window grants us, what is left of this one, and the seconds until the next.
  private static func supply(_ pacer: Pacer, _ ask: Ask) -> (Supply, Double, Seconds)? {
    if let bucket = pacer.tightest(ask) {
      let free = Double(bucket.ours(ask))
      return (bucket.supply, free, bucket.resetsIn(ask))
    }
    if let counted = pacer.unmetered.counted {
      let free = max(0, counted.allowance.count - counted.used(at: ask.now, ask.log) - ask.inFlight)
      return (
        Supply(tokens: counted.allowance.tokens, period: counted.allowance.period), Double(free),
        counted.resetsIn(at: ask.now, ask.log)
      )
    }
    return nil
  }
}

/// Tokens that a period brings us.
struct Supply {
  var tokens: Double
  var period: Seconds
}
