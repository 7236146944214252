import ArgumentParser
import ControlAPI
import Foundation
import Registration

struct ListsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "lists", abstract: "Shows each list: its progress, when it came, when it will be done. Active first.")

  @OptionGroup var options: ClientOptions

  @Flag(help: "Only lists with keys that are still to be worked on.")
  var active = false

  @Flag(help: "One JSON document.")
  var json = false

  func run() throws {
    let client = try options.client()
    if json { return try writeDocument(client) }
    var isEmpty = true
    let unread = try eachPage(client) { lists in
      // Columns line up within a page: to line up all of them, all would have to be kept.
      var table = Table(["LIST", "STATE", "DONE", "KEYS", "FAILED", "INVALID", "ARRIVED", "DONE AT"])
      for list in lists { table.add(Self.row(list)) }
      try StandardOutput.write(isEmpty ? table.text : table.body)
      isEmpty = false
    }
    for file in unread { try StandardOutput.write(Self.lines(file)) }
    if isEmpty, unread.isEmpty {
      StandardError.write("no lists\(active ? " with open keys" : " yet: keyreg submit FILE")\n")
    }
  }

  private func writeDocument(_ client: ControlClient) throws {
    // With the first page, so that an error comes without a beginning.
    let start = #"{"lists":["#
    var separator = start
    let unread = try eachPage(client) { lists in
      try StandardOutput.write(separator + lists.map { try $0.json() }.joined(separator: ","))
      separator = ","
    }
    let end = try unread.map { try $0.json() }.joined(separator: ",")
    try StandardOutput.line((separator == start ? start : "") + #"],"unread":[\#(end)],"next":null}"#)
  }

  /// Active lists, then the others; never an empty page. Returns what is not read.
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

  /// One that is not read, and below it what helps.
  private static func lines(_ file: UnreadDocument) -> String {
    let hint = file.hint.map { "  hint: \(PrintableText.escape($0))\n" } ?? ""
    return "\(PrintableText.escape(file.name))  \(file.state.rawValue)  \(PrintableText.escape(file.reason))\n\(hint)"
  }

  private static func row(_ list: ListDocument) -> [String] {
    [
      PrintableText.escape(list.name), list.state.rawValue, String(format: "%.1f %%", list.progress.fraction * 100),
      "\(list.keys.total)", "\(list.keys.failed)", "\(list.invalid)", "\(list.arrivedAt)",
      list.finishedAt?.description ?? list.etaAt.map { "~\($0)" } ?? "-",
    ]
  }
}
