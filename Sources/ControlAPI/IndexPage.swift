import Registration

/// A page for people at `/`: progress at a glance, without a script and without anything from elsewhere.
enum IndexPage {
  static func reply(_ status: StatusDocument, _ lists: [ListDocument]) -> ControlReply {
    var reply = ControlReply.text(html(status, lists), contentType: "text/html; charset=utf-8")
    reply.fields[.contentSecurityPolicy] = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"
    return reply
  }

  /// Lists that are shown; the newest come first.
  static let shownLists = 200

  private static func html(_ status: StatusDocument, _ lists: [ListDocument]) -> String {
    let keys = status.keys
    let rows = lists.reversed().map { list in
      "<tr><td>\(escape(list.name))</td><td>\(list.state.rawValue)</td>"
        + "<td>\(bar(list.progress.fraction))</td><td>\(list.progress.done) / \(list.keys.total)</td>"
        + "<td>\(list.keys.failed)</td></tr>"
    }
    return """
      <!DOCTYPE html>
      <html lang="en"><head><meta charset="utf-8"><meta http-equiv="refresh" content="5">
      <meta name="viewport" content="width=device-width"><title>keyreg: \(status.state.rawValue)</title>
      <style>
      body { font: 16px/1.5 system-ui, sans-serif; max-width: 60em; margin: 2em auto; padding: 0 1em;
             color-scheme: light dark }
      table { border-collapse: collapse; width: 100% } td, th { text-align: left; padding: .2em .8em .2em 0 }
      progress { width: 100%; min-width: 8em }
      </style></head><body>
      <h1>keyreg \(escape(status.version))</h1>
      <p><strong>\(status.state.rawValue)</strong>\(escape(status.reason.map { ": " + $0 } ?? ""))</p>
      <p>\(bar(status.progress.fraction))</p>
      <p>\(status.progress.done) of \(keys.total) keys done: \(keys.registered) registered, \(keys.failed) failed,
      \(keys.cancelled) cancelled; \(keys.pending) pending, \(keys.inFlight) in flight, \(keys.retrying) retrying.
      \(escape(eta(status.progress)))</p>
      \(status.lastError.map { "<p>Last error, \($0.at): \(escape($0.message))</p>" } ?? "")
      <table><tr><th>List</th><th>State</th><th>Progress</th><th>Keys</th><th>Failed</th></tr>
      \(rows.joined(separator: "\n"))
      </table></body></html>

      """
  }

  private static func eta(_ progress: StatusDocument.Progress) -> String {
    progress.etaSeconds.map { "About \($0) s left." } ?? ""
  }

  private static func bar(_ fraction: Double) -> String {
    let percent = (min(max(fraction, 0), 1) * 1000).rounded() / 10
    return "<progress max=\"100\" value=\"\(percent)\">\(percent)%</progress>"
  }

  private static func escape(_ text: String) -> String {
    PrintableText.escape(text, limit: 300)
      .replacing("&", with: "&amp;").replacing("<", with: "&lt;").replacing(">", with: "&gt;")
      .replacing("\"", with: "&quot;").replacing("'", with: "&#39;")
  }
}
