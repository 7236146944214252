import ArgumentParser
import ControlAPI
import Foundation
import Registration

struct ListsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "lists", abstract: "Shows each list: its progress, when it came, when it will be done.")

  @OptionGroup var options: ClientOptions

  @Flag(help: "One JSON document.")
  var json = false

  func run() throws {
    let lists = try options.client().lists()
    if json { return try StandardOutput.line(try ListsDocument(lists: lists).json()) }
    guard !lists.isEmpty else { return StandardError.write("no lists yet: keyreg submit FILE\n") }
    var table = Table(["LIST", "STATE", "DONE", "KEYS", "FAILED", "INVALID", "ARRIVED", "DONE AT"])
    for list in lists {
      table.add([
        PrintableText.escape(list.name), list.state.rawValue, String(format: "%.1f %%", list.progress.fraction * 100),
        "\(list.keys.total)", "\(list.keys.failed)", "\(list.invalid)", "\(list.arrivedAt)",
        list.finishedAt?.description ?? list.etaAt.map { "~\($0)" } ?? "-",
      ])
    }
    try StandardOutput.write(table.text)
  }
}
