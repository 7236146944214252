import ArgumentParser
import ControlAPI
import Foundation
import Registration

struct OutcomesCommand: ParsableCommand {
  enum Format: String, ExpressibleByArgument, CaseIterable {
    case table
    case csv
    case jsonl
  }

  static let configuration = CommandConfiguration(
    commandName: "outcomes", abstract: "Shows the recorded outcome of each key, in order of import.")

  @OptionGroup var options: ClientOptions

  @Option(help: "Only keys of this list.")
  var list: String?

  @Option(help: "Only keys in this state: \(KeyState.allCases.map(\.name).joined(separator: ", ")).")
  var state: KeyState?

  @Option(help: "table, csv or jsonl.")
  var format = Format.table

  func run() throws {
    let client = try options.client()
    let query = OutcomeQuery(list: list, state: state)
    var failure: (any Error)?
    var lines = LineSplitter()
    // After the first piece, so that an error comes without a heading.
    var heading: String? = Self.row(["APP KEY ID", "STATE", "HTTP", "TRIES", "LIST", "ERROR"])
    try DaemonProbe.during(client) {
      try client.outcomes(query, format: format == .csv ? "csv" : "jsonl") { bytes in
        do {
          if format == .table {
            if let text = heading.take() { try StandardOutput.write(text) }
            for line in lines.split(bytes) {
              try StandardOutput.write(Self.row(try JSONDecoder().decode(Outcome.self, from: line)))
            }
          } else {
            try StandardOutput.write(bytes)
          }
          return true
        } catch {
          failure = error
          return false
        }
      }
    }
    if let failure { throw failure }
    if format == .table, let text = heading.take() { try StandardOutput.write(text) }
  }

  private static func row(_ outcome: Outcome) -> String {
    let error = [outcome.errorTitle, outcome.errorDetail].compactMap { $0 }.joined(separator: ": ")
    return row([
      outcome.id.description, outcome.state.name, outcome.httpStatus.map(String.init) ?? "-", "\(outcome.attempts)",
      PrintableText.escape(outcome.list), PrintableText.escape(error, limit: 300),
    ])
  }

  /// Fixed widths, so that nothing has to be kept to line up the columns.
  private static func row(_ cells: [String]) -> String {
    let widths = [36, 10, 4, 5, 20]
    let padded = zip(cells, widths).map { cell, width in
      cell + String(repeating: " ", count: max(0, width - cell.count))
    }
    return (padded + [cells[5]]).joined(separator: "  ").trimmingCharacters(in: .whitespaces) + "\n"
  }
}

extension KeyState: ExpressibleByArgument {
  public init?(argument: String) { self.init(name: argument) }
  public static var allValueStrings: [String] { allCases.map(\.name) }
}

/// Puts lines together from pieces of a stream.
private struct LineSplitter {
  private var rest = Data()

  mutating func split(_ bytes: UnsafeRawBufferPointer) -> [Data] {
    rest.append(contentsOf: bytes)
    var lines: [Data] = []
    while let end = rest.firstIndex(of: 0x0a) {
      lines.append(rest[rest.startIndex..<end])
      rest = rest[(end + 1)...]
    }
    rest = Data(rest)
    return lines
  }
}
