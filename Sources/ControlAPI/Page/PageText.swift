import Registration

/// HTML in pieces. Whatever comes from outside passes `escape`.
enum PageText {
  /// A whole page. It may load its own script and style, talk to the daemon, and nothing else.
  static func reply(title: String, _ status: StatusDocument, body: String) -> ControlReply {
    let name = status.instance ?? "main"
    var reply = ControlReply.text(
      """
      <!DOCTYPE html>
      <html lang="en"><head><meta charset="utf-8">
      <meta name="viewport" content="width=device-width, initial-scale=1">
      <title>\(escape(title)) · \(escape(name)) · \(escape(host(status.endpoint))) · keyreg</title>
      <link rel="icon" href="data:,"><link rel="stylesheet" href="/assets/page.css">
      <script src="/assets/page.js" defer></script></head>
      <body>
      <header><h1><a href="/">keyreg</a> <span>\(escape(name))</span></h1>
      <p>\(escape(status.endpoint))</p></header>
      <main>
      \(body)
      </main>
      <footer>keyreg \(escape(status.version)), running since \(time(status.startedAt)).
      <a href="/metrics">Metrics</a>, <a href="/v1/status">status</a>, <a href="/v1/openapi.json">interface</a></footer>
      </body></html>

      """, contentType: "text/html; charset=utf-8")
    reply.fields[.contentSecurityPolicy] =
      "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; base-uri 'none'; "
      + "form-action 'none'; frame-ancestors 'none'"
    return reply
  }

  /// A part of a page that its script replaces when it has changed.
  static func section(_ id: String, _ title: String, _ content: String) -> String {
    """
    <section id="\(id)" data-live aria-labelledby="\(id)-title"><h2 id="\(id)-title">\(title)</h2>
    \(content)
    </section>
    """
  }

  static func bar(_ fraction: Double, of what: String) -> String {
    let percent = (min(max(fraction, 0), 1) * 1000).rounded(.down) / 10
    return "<progress max=\"100\" value=\"\(percent)\" aria-label=\"\(escape(what))\">\(percent)%</progress>"
  }

  static func percent(_ fraction: Double) -> String {
    // Not 100.0 % before the last one is done.
    let tenths = Int((min(max(fraction, 0), 1) * 1000).rounded(.down))
    return "\(tenths / 10).\(tenths % 10) %"
  }

  /// In UTC; the page's script shows it in the reader's own time.
  static func time(_ time: Timestamp?) -> String {
    guard let time else { return "" }
    let text = time.description
    return "<time datetime=\"\(text)\">\(text.prefix(10)) \(text.dropFirst(11).prefix(5)) UTC</time>"
  }

  static func table(_ caption: String, _ heading: [String], _ rows: [[String]]) -> String {
    let head = heading.map { "<th scope=\"col\">\($0)</th>" }.joined()
    let body = rows.map { row in
      let cells = row.enumerated().map { column, cell in
        column == 0
          ? "<th scope=\"row\" data-label=\"\(heading[0])\">\(cell)</th>"
          : "<td data-label=\"\(heading[column])\">\(cell)</td>"
      }
      return "<tr>\(cells.joined())</tr>"
    }
    return "<table><caption>\(caption)</caption><thead><tr>\(head)</tr></thead>\n"
      + "<tbody>\(body.joined(separator: "\n"))</tbody></table>"
  }

  static func facts(_ facts: KeyValuePairs<String, String>) -> String {
    "<dl>" + facts.map { "<div><dt>\($0)</dt><dd>\($1)</dd></div>" }.joined() + "</dl>"
  }

  static func link(toList name: String) -> String {
    "<a href=\"/lists/\(PercentEncoding.encode(name))\">\(escape(name))</a>"
  }

  static func linkToResults(of name: String, _ text: String) -> String {
    "<a href=\"/v1/outcomes?format=csv&amp;list=\(PercentEncoding.encode(name))\" "
      + "download=\"\(escape(name)).csv\">\(text)</a>"
  }

  static func escape(_ text: String) -> String {
    PrintableText.escape(text, limit: 300)
      .replacing("&", with: "&amp;").replacing("<", with: "&lt;").replacing(">", with: "&gt;")
      .replacing("\"", with: "&quot;").replacing("'", with: "&#39;")
  }

  private static func host(_ endpoint: String) -> String {
    let rest = endpoint.firstRange(of: "://").map { endpoint[$0.upperBound...] } ?? endpoint[...]
    return String(rest.prefix { $0 != "/" })
  }
}
