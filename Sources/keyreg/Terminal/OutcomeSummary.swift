import ControlAPI
import Foundation
import Registration

/// Outcomes counted by state, HTTP status and error.
enum OutcomeSummary {
  /// Different errors that are counted one by one; an API that words each differently must not fill the memory.
  private static let mostErrors = 1_000

  private struct Group: Hashable {
    var state: KeyDocument.State
    var status: Int?
    var error: String
  }

  static func show(_ client: ControlClient, _ query: OutcomeQuery, _ style: TerminalStyle) throws {
    var counts: [Group: Int] = [:]
    try OutcomePieces.eachOutcome(client, query) { outcome in
      var group = Group(state: outcome.state, status: outcome.httpStatus, error: outcome.error)
      if counts[group] == nil, counts.count >= mostErrors { group.error = "(other errors)" }
      counts[group, default: 0] += 1
    }
    let sorted = counts.sorted {
      ($1.value, $0.key.state.order, $0.key.error) < ($0.value, $1.key.state.order, $1.key.error)
    }
    var table = Table(["KEYS", "STATE", "HTTP", "ERROR"])
    for (group, count) in sorted {
      table.add([
        "\(count)", group.state.rawValue, group.status.map(String.init) ?? "-",
        PrintableText.escape(group.error, limit: 300),
      ])
    }
    for line in table.lines { try StandardOutput.line(style.cut(line)) }
  }
}

extension KeyDocument.State {
  /// The usual order; an unknown state comes last.
  fileprivate var order: Int { Self.allCases.firstIndex(of: self) ?? Self.allCases.count }
}
