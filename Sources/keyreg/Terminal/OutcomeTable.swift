import ControlAPI
import Foundation
import Registration

/// Outcomes in columns of fixed widths, so that nothing must be kept to align them. On a terminal a row takes one line.
struct OutcomeTable {
  let style: TerminalStyle
  /// False when all outcomes are of one list, which needs no column.
  let hasList: Bool

  var heading: String { row(["APP KEY ID", "STATE", "HTTP", "TRIES", "LIST", "ERROR"]) }

  func row(_ outcome: OutcomeDocument) -> String {
    row([
      PrintableText.escape(outcome.appKeyID), outcome.state.rawValue, outcome.httpStatus.map(String.init) ?? "-",
      "\(outcome.attempts)", PrintableText.escape(outcome.list), PrintableText.escape(outcome.error, limit: 300),
    ])
  }

  private func row(_ cells: [String]) -> String {
    let isNarrow = (style.columns ?? .max) < 100
    let widths = [36, 10, 4, isNarrow ? 0 : 5, hasList ? isNarrow ? 10 : 20 : style.columns == nil ? 20 : 0]
    let shown = zip(cells, widths).filter { $1 > 0 }.map { cell, width in
      let cell = style.columns == nil ? cell : ShownText.cut(cell, to: width, ellipsis: style.ellipsis)
      return ShownText.padded(cell, to: width)
    }
    let line = (shown + [cells[5]]).joined(separator: "  ").trimmingCharacters(in: .whitespaces)
    return style.cut(line) + "\n"
  }
}
