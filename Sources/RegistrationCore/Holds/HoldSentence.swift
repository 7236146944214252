package import Registration

extension Hold {
  /// For people: what was said, since when, and what to check. `401 Unauthorized since 11:44:20Z`.
  package func sentence(now: Timestamp) -> String {
    let start = "\(fault.summary) since \(Self.time(since, now: now))"
    switch reason {
    case .refused:
      return start + ", for \(Denials.suspicious) different keys and no success; check the organisation, or "
        + "run “keyreg resume” to accept the refusals: the keys then fail"
    case .outage where fault.isFromElsewhere: return start + "; that answer is not the API's: check api.url"
    case .credentials, .outage: return start
    }
  }

  /// Only the time within a day; otherwise date and time.
  private static func time(_ time: Timestamp, now: Timestamp) -> String {
    let text = Timestamp(milliseconds: time.milliseconds - time.milliseconds % 1_000).description.prefix(19) + "Z"
    return abs(now.seconds(since: time)) < 43_200 ? String(text.dropFirst(11)) : String(text)
  }
}
