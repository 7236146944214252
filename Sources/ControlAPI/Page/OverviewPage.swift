import Registration

/// The page at `/`: how things stand at a glance.
struct OverviewPage {
  /// Lists of each kind that are shown.
  static let most = 200
  static let openLists = ListQuery(isActive: true, limit: most)

  let status: StatusDocument
  /// Open lists, the oldest first, and files that are not read.
  let open: ListsDocument
  /// The newest lists, the oldest first.
  let newest: [ListDocument]

  func reply() -> ControlReply {
    let top = StatusPart(status: status)
    let title = status.hold.map { "holding: \($0.rawValue)" } ?? status.state.rawValue
    let sections = [
      top.banner, unread(.blocked), top.progress, top.limit, openLists, StatusPart.plots, finished, unread(.rejected),
      unread(.ignored),
    ]
    return PageText.reply(title: title, status, body: sections.compactMap(\.self).joined(separator: "\n"))
  }

  private var openLists: String {
    guard !open.lists.isEmpty else {
      return PageText.section("open", "Open lists", "<p>None. Submit one with <code>keyreg submit FILE</code>.</p>")
    }
    let rows = open.lists.map { list in
      [
        PageText.link(toList: list.name), list.state.rawValue,
        "\(PageText.bar(list.progress.fraction, of: "Progress")) \(PageText.percent(list.progress.fraction))",
        "\(list.progress.done) of \(list.keys.total)", "\(list.keys.failed)",
        list.etaAt.map { PageText.time($0) } ?? "not known",
      ]
    }
    let rest = status.lists.active - open.lists.count
    return PageText.section(
      "open", "Open lists",
      PageText.table("\(status.lists.active) open", ["List", "State", "Progress", "Keys", "Failed", "Done at"], rows)
        + (rest > 0 ? "<p>And \(rest) more: <code>keyreg lists --active</code>.</p>" : ""))
  }

  private var finished: String? {
    let lists = newest.reversed().filter { $0.state == .done || $0.state == .cancelled }
    guard !lists.isEmpty else { return nil }
    let rows = lists.map { list in
      [
        PageText.link(toList: list.name), list.state.rawValue, "\(list.keys.total)", "\(list.keys.failed)",
        PageText.time(list.finishedAt), PageText.linkToResults(of: list.name, "CSV"),
      ]
    }
    return PageText.section(
      "finished", "Finished lists",
      PageText.table("The newest \(lists.count)", ["List", "State", "Keys", "Failed", "Finished", "Results"], rows))
  }

  private func unread(_ state: UnreadDocument.State) -> String? {
    let files = open.unread.filter { $0.state == state }
    guard !files.isEmpty else { return nil }
    let title =
      switch state {
      case .blocked: "Lists that cannot be read"
      case .rejected: "Rejected lists"
      case .ignored: "Ignored files"
      case .other(let word): PageText.escape(word)
      }
    let rows = files.prefix(Self.most).map { file in
      [PageText.escape(file.name), PageText.escape(file.reason), PageText.escape(file.hint ?? "")]
    }
    return PageText.section(
      state.rawValue, title, PageText.table(files.count.counted("file"), ["File", "Why", "What helps"], rows))
  }
}
