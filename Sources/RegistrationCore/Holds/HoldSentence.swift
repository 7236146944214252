package import RateLimit
package import Registration

extension Hold {
  /// For people: what was said, since when, when it is tried again, and what to check.
  /// `401 Unauthorized since 11:44:20Z (12 min), last try: 503 Service Unavailable, next try in 8 s`.
  ///
  /// - Parameter nextTryIn: Seconds; nil when that is not known.
  package func sentence(now: Timestamp, nextTryIn: Seconds? = nil) -> String {
    let start = "\(fault.summary) since \(Self.time(since, now: now))\(Self.age(now.seconds(since: since)))"
    let last = latest.flatMap { $0.summary == fault.summary ? nil : ", last try: \($0.summary)" } ?? ""
    let next = last + (nextTryIn.map { ", next try in \(DurationText.approximate(seconds: max(1, $0)))" } ?? "")
    switch reason {
    case .refused:
      return start + ", for \(Denials.suspicious) different keys and no success\(next); check the organisation, or "
        + "run “keyreg resume” to accept the refusals: the keys then fail"
    case .outage where fault.isFromElsewhere: return start + next + "; that answer is not the API's: check api.url"
    case .credentials, .outage: return start + next
    }
  }

  /// ` (12 min)`: from a minute on in whole minutes. Nothing within the first second.
  private static func age(_ seconds: Seconds) -> String {
    guard seconds >= 1 else { return "" }
    let whole = seconds < 60 ? seconds.rounded(.down) : (seconds / 60).rounded(.down) * 60
    return " (\(DurationText.approximate(seconds: whole)))"
  }

  /// Only the time within a day; otherwise date and time.
  private static func time(_ time: Timestamp, now: Timestamp) -> String {
    let text = Timestamp(milliseconds: time.milliseconds - time.milliseconds % 1_000).description.prefix(19) + "Z"
    return abs(now.seconds(since: time)) < 43_200 ? String(text.dropFirst(11)) : String(text)
  }
}
