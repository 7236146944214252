import ControlAPI
import Foundation
import Registration

/// A status document for people: some lines for a terminal, or one line for a log.
struct StatusView {
  let status: StatusDocument
  /// Whether colour may be used.
  var isColoured = false
  var columns = 80

  /// Colour only on a terminal, and never with NO_COLOR.
  static func mayColour(isTerminal: Bool, environment: [String: String]) -> Bool {
    isTerminal && (environment["NO_COLOR"] ?? "").isEmpty && environment["TERM"] != "dumb"
  }

  /// `593 of 1000 keys (59.3 %), 3 failed, 6.6/s, 1 min 1 s left, working`
  var line: String {
    var parts = ["\(status.progress.done) of \(status.keys.total) keys (\(percent))"]
    if status.keys.failed > 0 { parts.append("\(status.keys.failed) failed") }
    parts.append("\(rate)/s")
    if let left { parts.append("\(left) left") }
    parts.append(stateText)
    return parts.joined(separator: ", ")
  }

  /// The block that `--watch` redraws.
  var block: [String] {
    var lines = [bar, keys, pace, limit]
    if status.state != .working, let reason = status.reason {
      lines.append(label("why") + PrintableText.escape(reason, limit: max(20, columns - 12)))
    }
    if let error = status.lastError {
      let text = PrintableText.escape(error.message, limit: max(20, columns - 40))
      lines.append(label("last error") + "\(text) (\(Self.clock(error.at)))")
    }
    return lines
  }

  private var bar: String {
    let width = max(10, min(40, columns - 40))
    let filled = status.progress.fraction >= 1 ? width : min(width - 1, Int(status.progress.fraction * Double(width)))
    let bar = String(repeating: "█", count: filled) + String(repeating: "░", count: width - filled)
    return "\(paint(bar, status.keys.failed > 0 ? 33 : 32)) \(percent)  \(paint(stateText, stateColour))"
  }

  private var keys: String {
    let keys = status.keys
    var parts = ["\(keys.registered) registered"]
    parts.append(keys.failed > 0 ? paint("\(keys.failed) failed", 31) : "0 failed")
    parts.append("\(keys.pending) pending")
    parts.append("\(keys.inFlight) in flight")
    if keys.retrying > 0 { parts.append("\(keys.retrying) retrying") }
    if keys.cancelled > 0 { parts.append("\(keys.cancelled) cancelled") }
    return label("\(keys.total) keys") + parts.joined(separator: ", ")
  }

  private var pace: String {
    var text = "\(rate) a second"
    if let left { text += ", \(left) left" }
    return label("rate") + text
  }

  private var limit: String {
    let limit = status.rateLimit
    guard let count = limit.limit, let period = limit.periodSeconds else {
      return label("limit") + "not known yet"
    }
    var text = limit.name.map { "\($0): " } ?? ""
    text += "\(count) in \(DurationText.approximate(seconds: Double(period)))"
    switch limit.source {
    case "learned"?, "assumed"?: text += " (\(limit.source ?? ""))"
    default: break
    }
    if let remaining = limit.remaining { text += ", \(remaining) left" }
    if let reserved = limit.reserved, reserved > 0 { text += " (\(reserved) for others)" }
    if let reset = limit.resetsInSeconds { text += ", resets in \(DurationText.approximate(seconds: Double(reset)))" }
    if let waiting = limit.waitingSeconds, waiting >= 1 {
      text += ", next request in \(DurationText.approximate(seconds: waiting.rounded(.up)))"
    }
    return label("limit") + text
  }

  private var percent: String {
    // Not 100.0 % before the last one is done.
    let value =
      status.keys.total > 0 && status.progress.fraction < 1
      ? min(99.9, status.progress.fraction * 100) : status.progress.fraction * 100
    return String(format: "%.1f %%", value)
  }

  private var rate: String { String(format: "%.1f", status.progress.perSecond) }

  private var left: String? {
    guard status.keys.pending + status.keys.inFlight + status.keys.retrying > 0 else { return nil }
    return status.progress.etaSeconds.map { DurationText.approximate(seconds: Double($0)) }
  }

  private var stateText: String {
    status.hold.map { "holding: \($0.rawValue)" } ?? status.state.rawValue
  }

  private var stateColour: Int {
    switch status.state {
    case .holding: 31
    case .paused, .waiting, .stopping: 33
    case .idle, .working: 32
    }
  }

  private func label(_ text: String) -> String {
    text.count < 11 ? text + String(repeating: " ", count: 12 - text.count) : text + "  "
  }

  private func paint(_ text: String, _ colour: Int) -> String {
    isColoured ? "\u{1B}[\(colour)m\(text)\u{1B}[0m" : text
  }

  /// Hours, minutes and seconds in UTC.
  private static func clock(_ time: Timestamp) -> String {
    String(time.description.dropFirst(11).prefix(8)) + "Z"
  }
}
