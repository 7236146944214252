import ControlAPI
import Foundation
import Registration

/// A list for display.
struct ListView {
  let list: ListDocument
  var style = TerminalStyle()

  /// `team-a.csv: 593 of 1000 keys (59.3 %), 3 failed, done at 14:03 CET`
  var line: String {
    var parts = ["\(list.progress.done) of \(list.keys.total.counted("key")) (\(percent))"]
    if list.keys.failed > 0 { parts.append("\(list.keys.failed) failed") }
    parts.append(list.finishedAt.map { "\(list.state.rawValue) at \(style.time($0))" } ?? list.state.rawValue)
    if let eta = list.etaAt { parts.append("to be done at \(style.time(eta))") }
    return "\(PrintableText.escape(list.name)): " + parts.joined(separator: ", ")
  }

  var block: [String] {
    let keys = list.keys
    var counts = ["\(keys.registered) registered"]
    counts.append(keys.failed > 0 ? style.paint("\(keys.failed) failed", 31) : "0 failed")
    counts.append("\(keys.pending) pending")
    if keys.retrying > 0 { counts.append("\(keys.retrying) retrying") }
    if keys.cancelled > 0 { counts.append("\(keys.cancelled) cancelled") }
    if list.invalid > 0 { counts.append(style.paint("\(list.invalid.counted("line")) invalid", 33)) }
    let width = max(10, min(40, (style.columns ?? 80) - 40))
    var lines = [
      "\(style.paint(style.bar(list.progress.fraction, width: width), keys.failed > 0 ? 33 : 32)) \(percent)  "
        + PrintableText.escape(list.name),
      StatusView.label(keys.total.counted("key")) + counts.joined(separator: ", "),
      StatusView.label("arrived") + style.time(list.arrivedAt),
    ]
    if let time = list.finishedAt {
      lines.append(StatusView.label(list.state.rawValue) + style.time(time))
    } else {
      lines.append(StatusView.label("done at") + (list.etaAt.map { "~" + style.time($0) } ?? "not known"))
    }
    if let reason = list.stoppedBecause { lines.append(StatusView.label("why") + PrintableText.escape(reason)) }
    if let results = list.results { lines.append(StatusView.label("results") + PrintableText.escape(results)) }
    return lines.map(style.cut)
  }

  /// In a table of lists that is watched.
  ///
  /// - Parameter name: Columns for the name.
  func row(name width: Int) -> String {
    let name = ShownText.cut(PrintableText.escape(list.name), to: width, ellipsis: style.ellipsis)
    let bar = style.paint(style.bar(list.progress.fraction, width: 12), list.keys.failed > 0 ? 33 : 32)
    let percent = ShownText.padded(percent, to: 7)
    var text = "\(ShownText.padded(name, to: width))  \(bar) \(percent)  \(list.progress.done)/\(list.keys.total)"
    if list.keys.failed > 0 { text += style.paint(" \(list.keys.failed) failed", 31) }
    if let eta = list.etaAt { text += "  ~\(style.time(eta))" }
    return style.cut(text)
  }

  private var percent: String { StatusView.percent(list.progress.fraction) }
}
