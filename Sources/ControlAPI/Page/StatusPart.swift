import Registration

/// The top of a page: what the daemon does now, and why.
struct StatusPart {
  let status: StatusDocument

  var banner: String {
    let state = status.hold.map { "holding: \($0.rawValue)" } ?? status.state.rawValue
    return """
      <section id="banner" data-live class="\(PageText.escape(status.state.rawValue))" aria-label="State">
      <p><strong role="status">\(PageText.escape(state))</strong> since \(PageText.time(status.since))</p>
      <p id="reason">\(PageText.escape(status.reason ?? Self.usual(status.state)))</p>
      </section>
      """
  }

  /// What a state means that has no reason of its own.
  private static func usual(_ state: StatusDocument.State) -> String {
    switch state {
    case .idle: "Every key has its outcome. Drop a list into the spool to go on."
    case .working: "Keys are being registered."
    case .waiting: "Work goes on by itself."
    case .paused: "Nothing is sent until somebody resumes."
    case .holding: "Nothing is sent until this is over."
    case .stopping: "Requests in flight are being finished."
    case .other: ""
    }
  }

  var progress: String {
    let (progress, keys) = (status.progress, status.keys)
    let open = keys.pending + keys.inFlight + keys.retrying
    let end =
      open == 0
      ? "nothing to do"
      : progress.etaSeconds.map {
        "\(DurationText.approximate(seconds: Double($0))), \(PageText.time(status.now.adding(seconds: Double($0))))"
      } ?? "not known"
    return PageText.section(
      "progress", "Progress",
      """
      <p>\(PageText.bar(progress.fraction, of: "Progress of the open lists")) \(PageText.percent(progress.fraction))</p>
      \(PageText.facts([
        "open": "\(open)", "in flight": "\(keys.inFlight)", "to be retried": "\(keys.retrying)",
        "registered": "\(keys.registered)", "failed": "\(keys.failed)", "cancelled": "\(keys.cancelled)",
        "a second": "\(progress.perSecond)", "left": end,
      ]))
      \(status.lastError.map { "<p class=\"error\">Last error, \(PageText.time($0.at)): \(PageText.escape($0.message))</p>" } ?? "")
      """)
  }

  /// The limit as a bar of four parts: used by us and by others, left to others and for us.
  var limit: String {
    let limit = status.rateLimit
    guard let count = limit.limit, count > 0, let period = limit.periodSeconds else {
      return PageText.section("limit", "Rate limit", "<p>Not known yet.</p>")
    }
    let remaining = min(max(limit.remaining ?? count, 0), count)
    let used = count - remaining
    let ours = limit.ours.map { min($0, used) }
    let others = min(limit.reserved ?? 0, remaining)
    let parts = [
      ("used", ours ?? used), ("theirs", used - (ours ?? used)), ("others", others), ("ours", remaining - others),
    ]
    var place = 0.0
    let bars = parts.map { name, amount in
      let width = Double(amount) * 1_000 / Double(count)
      defer { place += width }
      return "<rect class=\"\(name)\" x=\"\(place)\" y=\"0\" width=\"\(width)\" height=\"24\"></rect>"
    }
    return PageText.section(
      "limit", "Rate limit",
      """
      <svg class="gauge" viewBox="0 0 1000 24" preserveAspectRatio="none" role="img" \
      aria-label="\(used) of \(count) requests used">\(bars.joined())</svg>
      \(PageText.facts([
        "requests": "\(count) in \(DurationText.approximate(seconds: Double(period)))",
        "<i class=\"used\">used by keyreg</i>": ours.map { "\($0)" } ?? "not known",
        "<i class=\"theirs\">used by others</i>": ours.map { "\(used - $0)" } ?? "not known",
        "left": "\(remaining)", "<i class=\"others\">left to others</i>": "\(others)",
        "<i class=\"ours\">left for us</i>": "\(remaining - others)",
        "resets in": limit.resetsInSeconds.map { $0 > 0 ? DurationText.approximate(seconds: Double($0)) : "now" }
          ?? "not known",
        "known from": PageText.escape(limit.source ?? "nothing"),
      ]))
      """)
  }

  /// Drawn by the page's script.
  static let plots = """
    <section id="plots" aria-labelledby="plots-title"><h2 id="plots-title">Up to 24 hours</h2>
    <noscript><p>The plots need JavaScript; everything else works without.</p></noscript>
    <div>
    <figure data-plot="outcomes"><figcaption>Keys a minute: <i class="first">registered</i>, <i class="second">failed</i></figcaption></figure>
    <figure data-plot="throttled"><figcaption>Refusals (429) a minute</figcaption></figure>
    <figure data-plot="latency"><figcaption>Latency in milliseconds: <i class="first">median</i>, <i class="second">90 % within</i></figcaption></figure>
    <figure data-plot="remaining"><figcaption>Requests left in the limit</figcaption></figure>
    </div></section>
    """
}
