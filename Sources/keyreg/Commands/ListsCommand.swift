import ArgumentParser
import ControlAPI
import Foundation
import Registration

struct ListsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "lists",
    abstract: "Show each list: its progress, when it arrived, and when it will be done. Active lists first.")

  @OptionGroup var options: ClientOptions

  @Flag(help: "Only lists that still have open keys.")
  var active = false

  @Flag(help: "Show the lists with open keys as they progress: redrawn on a terminal, a line a second elsewhere.")
  var watch = false

  @Flag(help: "Print one JSON document.")
  var json = false

  func run() throws {
    let client = try options.client()
    let environment = options.instance.environment
    if watch {
      return try StatusWatch(client: client, subject: .openLists, isJSON: json, environment: environment).run()
    }
    if json { return try writeDocument(client) }
    let style = TerminalStyle.current(environment: environment)
    var isEmpty = true
    // Columns are aligned for about a thousand lists at once: aligning all would mean keeping all.
    var lists: [ListDocument] = []
    func show() throws {
      guard !lists.isEmpty else { return }
      let table = Self.table(lists, style)
      for line in isEmpty ? table.lines[...] : table.lines.dropFirst() { try StandardOutput.line(style.cut(line)) }
      isEmpty = false
      lists = []
    }
    let unread = try eachPage(client) { page in
      if lists.count >= 1_000 { try show() }
      lists += page
    }
    try show()
    for file in unread { for line in Self.lines(file, style) { try StandardOutput.line(line) } }
    if isEmpty, unread.isEmpty {
      let waiting = try client.status().lists.incoming
      let others = waiting > 0 ? "; \(waiting.counted("file")) in incoming/ will be read" : nil
      let advice = active ? " with open keys" : " yet; submit one with: keyreg submit FILE"
      StandardError.write("no lists\(others.map { (active ? " with open keys" : " yet") + $0 } ?? advice)\n")
    }
  }

  private func writeDocument(_ client: ControlClient) throws {
    // Together with the first page, so that an error is not preceded by half a document.
    let start = #"{"lists":["#
    var separator = start
    let unread = try eachPage(client) { lists in
      try StandardOutput.write(separator + lists.map { try $0.json() }.joined(separator: ","))
      separator = ","
    }
    let end = try unread.map { try $0.json() }.joined(separator: ",")
    try StandardOutput.line((separator == start ? start : "") + #"],"unread":[\#(end)],"next":null}"#)
  }

  /// Active lists, then the others; never an empty page. Returns the files that are not read.
  private func eachPage(_ client: ControlClient, _ body: ([ListDocument]) throws -> Void) throws -> [UnreadDocument] {
    var unread: [UnreadDocument] = []
    for isActive in active ? [true] : [true, false] {
      var query = ListQuery(isActive: isActive)
      while true {
        let page = try client.lists(query)
        if query.after == 0 { unread = page.unread }
        if !page.lists.isEmpty { try body(page.lists) }
        guard let next = page.next else { break }
        query.after = next
      }
    }
    return active ? unread.filter { $0.state == .blocked } : unread
  }

  /// A file that is not read, and below it the hint.
  private static func lines(_ file: UnreadDocument, _ style: TerminalStyle) -> [String] {
    let name = PrintableText.escape(file.name)
    let reason = "\(name)  \(file.state.rawValue)  \(PrintableText.escape(file.reason, limit: 500))"
    let hint = file.hint.map { style.fold("  hint: \(PrintableText.escape($0, limit: 500))", indent: 8) } ?? []
    return style.fold(reason, indent: 4) + hint
  }

  /// A narrow terminal has no room for when a list arrived, nor for a long name; a very narrow one only for progress.
  private static func table(_ lists: [ListDocument], _ style: TerminalStyle) -> Table {
    let width = style.columns ?? .max
    let counts = width < 60 ? [] : ["FAILED", "INVALID"]
    let arrived = width < 110 ? [] : ["ARRIVED"]
    var table = Table(["LIST", "STATE", "DONE", "KEYS"] + counts + arrived + ["DONE AT"])
    for list in lists {
      var name = PrintableText.escape(list.name)
      if let columns = style.columns { name = ShownText.cut(name, to: max(12, columns / 4), ellipsis: style.ellipsis) }
      let done = list.finishedAt.map { style.time($0) } ?? list.etaAt.map { "~\(style.time($0))" } ?? "-"
      table.add(
        [name, list.state.rawValue, StatusView.percent(list.progress.fraction), "\(list.keys.total)"]
          + (counts.isEmpty ? [] : ["\(list.keys.failed)", "\(list.invalid)"])
          + (arrived.isEmpty ? [] : [style.time(list.arrivedAt)]) + [done])
    }
    return table
  }
}
