package import Registration

/// What a list's own page shows beside its counts.
package struct ListDigest: Sendable {
  package struct ErrorGroup: Sendable {
    package var status: Int?
    package var text: String
    package var keys: Int

    package init(status: Int?, text: String, keys: Int) {
      self.status = status
      self.text = text
      self.keys = keys
    }
  }

  package var list: ListDocument
  /// Its failures by error, the most frequent first.
  package var errors: [ErrorGroup]
  /// The keys that took longest from the first attempt to their outcome; nil for a list that is too long to look.
  package var slowest: [Outcome]?

  package init(list: ListDocument, errors: [ErrorGroup], slowest: [Outcome]?) {
    self.list = list
    self.errors = errors
    self.slowest = slowest
  }
}

/// The page at `/lists/NAME`.
struct ListPage {
  let status: StatusDocument
  let digest: ListDigest

  func reply() -> ControlReply {
    let list = digest.list
    let sections = [StatusPart(status: status).banner, progress, errors, slowest, receipt]
    return PageText.reply(title: list.name, status, body: sections.compactMap(\.self).joined(separator: "\n"))
  }

  private var progress: String {
    let (list, keys) = (digest.list, digest.list.keys)
    let end = list.finishedAt ?? list.etaAt
    return PageText.section(
      "progress", "List \(PageText.escape(list.name))",
      """
      <p>\(PageText.bar(list.progress.fraction, of: "Progress of the list")) \
      \(PageText.percent(list.progress.fraction)), \(list.state.rawValue)\
      \(list.stoppedBecause.map { ": \(PageText.escape($0))" } ?? "")</p>
      \(PageText.facts([
        "keys": "\(keys.total)", "pending": "\(keys.pending)", "to be retried": "\(keys.retrying)",
        "registered": "\(keys.registered)", "failed": "\(keys.failed)", "cancelled": "\(keys.cancelled)",
        list.finishedAt == nil ? "done at, expected" : "finished": end == nil ? "not known" : PageText.time(end),
      ]))
      <p>\(PageText.linkToResults(of: list.name, "Every outcome as CSV"))</p>
      """)
  }

  private var errors: String? {
    guard !digest.errors.isEmpty else { return nil }
    let rows = digest.errors.map { group in
      ["\(group.keys)", group.status.map(String.init) ?? "none", PageText.escape(group.text)]
    }
    return PageText.section(
      "errors", "Failures", PageText.table("By error, the most frequent first", ["Keys", "Status", "Error"], rows))
  }

  private var slowest: String? {
    guard let slowest = digest.slowest, !slowest.isEmpty else { return nil }
    let rows = slowest.map { outcome in
      let seconds = outcome.finishedAt.flatMap { end in outcome.firstAttemptAt.map { end.seconds(since: $0) } }
      return [
        "<code>\(outcome.id)</code>", seconds.map { DurationText.fine(seconds: max(0, $0)) } ?? "",
        "\(outcome.attempts)", outcome.state.name, PageText.escape(outcome.errorTitle ?? ""),
      ]
    }
    return PageText.section(
      "slowest", "Slowest keys",
      PageText.table("From the first attempt to the outcome", ["Key", "Took", "Attempts", "State", "Error"], rows))
  }

  private var receipt: String {
    let list = digest.list
    return PageText.section(
      "receipt", "Receipt",
      PageText.facts([
        "bytes": "\(list.bytes)", "SHA-256": "<code>\(PageText.escape(list.sha256 ?? "not known yet"))</code>",
        "arrived": PageText.time(list.arrivedAt),
        "imported": list.importedAt == nil ? "being read" : PageText.time(list.importedAt),
        "invalid lines": "\(list.invalid)",
        "same bytes as": list.duplicateOf.map { PageText.link(toList: $0) } ?? "no earlier list",
        "results": list.results.map { PageText.escape($0) } ?? "not written yet",
      ]))
  }
}
