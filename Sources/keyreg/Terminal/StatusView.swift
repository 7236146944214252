import ControlAPI
import Foundation
import Registration

/// A status document for display: some lines for a terminal, or one line for a log.
struct StatusView {
  let status: StatusDocument
  var style = TerminalStyle()
  /// Keys that got their outcome in each of the last minutes, the oldest first.
  var minutes: [Int] = []

  /// `593 of 1000 keys (59.3 %), 3 failed, 6.6/s, 1 min 1 s left, working`. The keys are those of the open lists; once all
  /// lists are done, every key.
  var line: String {
    let keys = status.keys
    let progress = status.progress
    let counted = (progress.done + open).counted("key")
    var parts = ["\(progress.done) of \(counted) (\(Self.percent(progress.fraction)))"]
    if keys.failed > 0 { parts.append("\(keys.failed) failed") }
    parts.append("\(rate)/s")
    if let left { parts.append("\(left) left") }
    parts.append(stateText)
    return parts.joined(separator: ", ")
  }

  /// The block that `--watch` redraws.
  var block: [String] {
    let error = status.lastError.map { error in
      let text = PrintableText.escape(error.message, limit: 1_000)
      return style.fold(Self.label("last error") + "\(text) (\(style.time(error.at)))", indent: 12, most: 2)
    }
    // At usual widths the block keeps its height while numbers change.
    let most = (style.columns ?? 80) < 80 ? 2 : 1
    let numbers = [keys, pace, limit].flatMap { style.fold($0, indent: 12, most: most) }
    return [style.cut(bar)] + numbers + why + (error ?? []) + unread
  }

  /// The reason for the state, if it has one.
  var why: [String] {
    guard let reason = status.reason else { return [] }
    return style.fold(Self.label("why") + style.reason(reason, now: status.now), indent: 12, most: 8)
  }

  /// Says that lists need somebody's attention.
  var unread: [String] {
    guard status.lists.blocked + status.lists.rejected > 0 else { return [] }
    let counts = style.paint("\(status.lists.blocked) blocked, \(status.lists.rejected) rejected", 31)
    return style.fold(Self.label("lists") + counts + "; keyreg lists shows why, and how to fix it", indent: 12, most: 2)
  }

  /// The bar alone, with the state.
  var bar: String {
    let percent = Self.percent(status.progress.fraction)
    let since = " since \(style.time(status.since))"
    let others = ShownText.columns(percent + stateText + since) + 3
    let bar = style.bar(status.progress.fraction, width: max(10, min(40, (style.columns ?? 80) - others)))
    return "\(style.paint(bar, status.keys.failed > 0 ? 33 : 32)) \(percent)  "
      + style.paint(stateText, stateColour) + since
  }

  private var open: Int { status.keys.pending + status.keys.inFlight + status.keys.retrying }

  private var keys: String {
    let keys = status.keys
    var parts = ["\(keys.registered) registered"]
    parts.append(keys.failed > 0 ? style.paint("\(keys.failed) failed", 31) : "0 failed")
    parts.append("\(keys.pending) pending")
    parts.append("\(keys.inFlight) in flight")
    if keys.retrying > 0 { parts.append("\(keys.retrying) retrying") }
    if keys.cancelled > 0 { parts.append("\(keys.cancelled) cancelled") }
    return Self.label(keys.total.counted("key")) + parts.joined(separator: ", ")
  }

  private var pace: String {
    var text = "\(rate) a second"
    if let left { text += ", \(left) left" }
    if !minutes.isEmpty { text += "  \(style.spark(minutes)) a minute" }
    return Self.label("rate") + text
  }

  private var limit: String {
    let limit = status.rateLimit
    guard let count = limit.limit, let period = limit.periodSeconds else {
      return Self.label("limit") + "not known yet"
    }
    var text = "\(count) in \(DurationText.approximate(seconds: Double(period)))"
    switch (limit.source, limit.refusals ?? 0) {
    case ("learned"?, 1...): text = "about " + text + ", learned from \((limit.refusals ?? 0).counted("refusal"))"
    case ("learned"?, _), ("assumed"?, _): text += " (\(limit.source ?? ""))"
    default: break
    }
    // Once the limit has been reset, the old rest means nothing.
    if let remaining = limit.remaining, limit.resetsInSeconds != 0 { text += ", \(remaining) left" }
    if let reserved = limit.reserved, reserved > 0 { text += " (\(reserved) for others)" }
    if let reset = limit.resetsInSeconds, reset > 0 {
      text += ", resets in \(DurationText.approximate(seconds: Double(reset)))"
    }
    if let waiting = limit.waitingSeconds, waiting >= 1 {
      text += ", next request in \(DurationText.approximate(seconds: waiting.rounded(.up)))"
    }
    return Self.label("limit") + text + (limit.name.map { ", \(PrintableText.escape($0))" } ?? "")
  }

  /// Not 100.0 % before the last one is done.
  static func percent(_ fraction: Double) -> String {
    String(format: "%.1f %%", fraction < 1 ? min(99.9, fraction * 100) : 100.0)
  }

  static func label(_ text: String) -> String { ShownText.padded(text, to: 11) + " " }

  private var rate: String { String(format: "%.1f", status.progress.perSecond) }

  private var left: String? {
    guard open > 0 else { return nil }
    return status.progress.etaSeconds.map { DurationText.approximate(seconds: Double($0)) }
  }

  private var stateText: String {
    status.hold.map { "holding: \($0.rawValue)" } ?? status.state.rawValue
  }

  private var stateColour: Int {
    switch status.state {
    case .holding: 31
    case .paused, .waiting, .stopping, .other: 33
    case .idle, .working: 32
    }
  }
}
