package import Registration

extension Hold {
  /// For people: what was said, since when, and what to look at. `401 Unauthorized since 11:44:20Z`.
  package func sentence(now: Timestamp) -> String {
    let start = "\(fault.summary) since \(Self.time(since, now: now))"
    switch reason {
    case .refused:
      return start + ", for \(Denials.suspicious) different keys and no success: is this the right organisation? "
        + "“keyreg resume” believes it and fails them"
    case .outage where fault.isNobodysWord: return start + "; that is no word of the API: is api.url right?"
    case .credentials, .outage: return start
    }
  }

  /// The time alone within a day, the whole of it otherwise.
  private static func time(_ time: Timestamp, now: Timestamp) -> String {
    let text = Timestamp(milliseconds: time.milliseconds - time.milliseconds % 1_000).description.prefix(19) + "Z"
    return abs(now.seconds(since: time)) < 43_200 ? String(text.dropFirst(11)) : String(text)
  }
}
