import ControlAPI
import Registration

/// The limits, the evidence for them, and the requests by hour, as text. Times are in UTC, because the text is made to be
/// sent to somebody else.
struct LimitsView {
  let document: LimitsDocument

  init(_ document: LimitsDocument) {
    self.document = document
  }

  func lines(in style: TerminalStyle) -> [String] {
    var lines = [
      StatusView.label("endpoint") + PrintableText.escape(document.endpoint)
        + (document.instance.map { " (\(PrintableText.escape($0)))" } ?? ""),
      StatusView.label("time") + Self.time(document.now),
    ]
    lines += document.limits.isEmpty ? [StatusView.label("limit") + "not known yet"] : document.limits.map(limit)
    lines.append(StatusView.label("evidence") + evidence)
    if let refusal = document.lastRefusal {
      lines.append(StatusView.label("refused") + "last at \(Self.time(refusal.at)): \(Self.words(refusal))")
    }
    lines = lines.flatMap { style.fold($0, indent: 12) }
    if !document.changes.isEmpty { lines += [""] + changes.lines(in: style) }
    if !document.hours.isEmpty { lines += [""] + hours.lines(in: style) }
    return lines
  }

  private func limit(_ limit: LimitsDocument.Limit) -> String {
    let since = limit.since.map { ", since \(Self.time($0))" } ?? ""
    return StatusView.label("limit") + Self.allowance(limit) + Self.source(limit) + since
      + (limit.name.map { ", \(PrintableText.escape($0))" } ?? "")
  }

  private var evidence: String {
    guard let since = document.since, document.replies > 0 else { return "no reply has mentioned a limit yet" }
    return "\(document.replies) replies about the limit since \(Self.time(since)), \(document.refusals) of them 429"
  }

  private var changes: Table {
    var table = Table(["ASSUMED SINCE", "LIMIT", "NAME", "FROM THE REPLY"])
    for change in document.changes {
      table.add([
        change.limit.since.map(Self.time) ?? "-", Self.allowance(change.limit) + Self.source(change.limit),
        change.limit.name.map { PrintableText.escape($0, limit: 30) } ?? "-", Self.words(change.reply),
      ])
    }
    return table
  }

  private var hours: Table {
    var table = Table(["HOUR", "REGISTERED", "429", "OTHER REQUESTS"])
    for hour in document.hours {
      table.add([
        String(Self.time(hour.at).prefix(16)), "\(hour.registered)", "\(hour.throttled)", "\(hour.otherRequests)",
      ])
    }
    return table
  }

  private static func allowance(_ limit: LimitsDocument.Limit) -> String {
    let period =
      limit.periodSeconds < 1
      ? "\(Int((limit.periodSeconds * 1_000).rounded())) ms" : DurationText.approximate(seconds: limit.periodSeconds)
    return (limit.source == "learned" ? "about " : "") + "\(limit.limit) in \(period)"
  }

  private static func source(_ limit: LimitsDocument.Limit) -> String {
    switch limit.source {
    case "headers": ", from headers"
    case "body": ", from the text of a refusal"
    default: ", " + PrintableText.escape(limit.source)
    }
  }

  /// `429, Retry-After 5 s`
  private static func words(_ reply: LimitsDocument.Reply) -> String {
    var parts = [reply.status.map(String.init) ?? "no reply"]
    if let limit = reply.limit { parts.append("limit \(limit)") }
    if let period = reply.periodSeconds { parts.append("period \(DurationText.approximate(seconds: period))") }
    if let remaining = reply.remaining { parts.append("remaining \(remaining)") }
    if let reset = reply.resetSeconds { parts.append("reset in \(DurationText.approximate(seconds: reset))") }
    if let delay = reply.retryAfterSeconds { parts.append("Retry-After \(DurationText.approximate(seconds: delay))") }
    return parts.joined(separator: ", ")
  }

  /// `2026-11-26 11:44:20Z`
  private static func time(_ time: Timestamp) -> String {
    String(time.description.prefix(19)).replacing("T", with: " ") + "Z"
  }
}
