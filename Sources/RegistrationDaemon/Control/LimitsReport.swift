import ControlAPI
import RateLimit
import Registration
import RegistrationQueue

/// What `keyreg limits` shows.
extension LimitsDocument {
  init(
    _ limits: [KnownLimit], _ evidence: LimitEvidence, minutes: [MinuteRecord], instance: String?, now: Timestamp
  ) {
    self.init(
      now: now, endpoint: evidence.endpoint, instance: instance,
      limits: limits.map { limit in
        let belief = evidence.belief(in: limit.name)
        return Limit(
          limit.name, limit.allowance, source: limit.source.rawValue,
          since: belief?.allowance.period == limit.allowance.period ? belief?.at : nil)
      },
      since: evidence.since, replies: evidence.replies, refusals: evidence.refusals,
      lastRefusal: evidence.lastRefusal.map(Reply.init),
      changes: evidence.changes.map { change in
        Change(
          limit: Limit(change.name, change.allowance, source: change.source, since: change.at),
          reply: Reply(change.said))
      },
      hours: Self.hours(minutes))
  }

  /// - Parameter minutes: Oldest first.
  private static func hours(_ minutes: [MinuteRecord]) -> [Hour] {
    var hours: [Hour] = []
    for minute in minutes {
      let at = Timestamp(milliseconds: minute.at.milliseconds - minute.at.milliseconds % 3_600_000)
      if hours.last?.at != at { hours.append(Hour(at: at)) }
      hours[hours.count - 1].registered += minute.registered
      hours[hours.count - 1].throttled += minute.throttled
      hours[hours.count - 1].otherRequests += minute.otherRequests
    }
    return hours
  }
}

extension LimitsDocument.Limit {
  fileprivate init(_ name: String?, _ allowance: Allowance, source: String, since: Timestamp?) {
    self.init(
      name: name.map { PrintableText.escape($0) }, limit: allowance.count,
      periodSeconds: allowance.period.inMilliseconds,
      source: source, since: since)
  }
}

extension LimitsDocument.Reply {
  fileprivate init(_ said: LimitEvidence.Said) {
    self.init(
      at: said.at, status: said.status, name: said.name.map { PrintableText.escape($0) }, limit: said.limit,
      periodSeconds: said.period?.inMilliseconds, remaining: said.remaining, resetSeconds: said.reset?.inMilliseconds,
      retryAfterSeconds: said.retryAfter?.inMilliseconds)
  }
}

extension Seconds {
  /// Rounded to whole milliseconds.
  fileprivate var inMilliseconds: Seconds { (self * 1_000).rounded() / 1_000 }
}
