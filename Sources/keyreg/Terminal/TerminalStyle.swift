import Foundation
import Glibc
import Registration

/// How output for people looks: with or without colour, in Unicode or ASCII, cut to a width or not.
struct TerminalStyle {
  var isColoured = false
  /// False where the locale is not UTF-8: bars are then in ASCII.
  var isUnicode = true
  /// Columns of the terminal. Nil if the output is not a terminal: nothing is cut there, and times are in UTC.
  var columns: Int?

  /// For standard output.
  static func current(environment: [String: String]) -> TerminalStyle {
    let isTerminal = StandardOutput.isTerminal
    return TerminalStyle(
      isColoured: mayColour(isTerminal: isTerminal, environment: environment), isUnicode: isUnicode(environment),
      columns: isTerminal ? StandardOutput.columns : nil)
  }

  /// Colour only on a terminal, and never with NO_COLOR.
  static func mayColour(isTerminal: Bool, environment: [String: String]) -> Bool {
    isTerminal && (environment["NO_COLOR"] ?? "").isEmpty && environment["TERM"] != "dumb"
  }

  /// What the C library does: the first of these that is set counts.
  static func isUnicode(_ environment: [String: String]) -> Bool {
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"].lazy.compactMap { environment[$0] }.first { !$0.isEmpty } ?? ""
    let text = locale.lowercased()
    return text.contains("utf-8") || text.contains("utf8")
  }

  func cut(_ line: String) -> String {
    columns.map { ShownText.cut(line, to: $0, ellipsis: ellipsis) } ?? line
  }

  var ellipsis: String { isUnicode ? "…" : "..." }

  func paint(_ text: String, _ colour: Int) -> String { isColoured ? "\u{1B}[\(colour)m\(text)\u{1B}[0m" : text }

  /// A bar of `width` columns that is full only when everything is done.
  func bar(_ fraction: Double, width: Int) -> String {
    let filled = fraction >= 1 ? width : min(width - 1, Int(max(0, fraction) * Double(width)))
    let (full, empty) = isUnicode ? ("█", "░") : ("#", "-")
    return String(repeating: full, count: filled) + String(repeating: empty, count: width - filled)
  }

  /// One character a value, as high as its share of the largest.
  func spark(_ values: [Int]) -> String {
    let steps = Array(isUnicode ? "▁▂▃▄▅▆▇█" : "_.-~=+*#")
    guard let most = values.max(), most > 0 else { return String(repeating: steps[0], count: values.count) }
    return String(values.map { steps[min(steps.count - 1, $0 * steps.count / (most + 1))] })
  }

  /// Local time with its zone on a terminal: `14:03 CET` within half a day, else `2026-11-30 14:03 CET`. UTC elsewhere.
  func time(_ time: Timestamp, now: Timestamp = .now()) -> String {
    guard columns != nil else { return time.description }
    var seconds = time_t(time.milliseconds / 1_000)
    var local = tm()
    localtime_r(&seconds, &local)
    let isNear = abs(now.seconds(since: time)) < 43_200
    var buffer = [CChar](repeating: 0, count: 64)
    let length = strftime(&buffer, buffer.count, isNear ? "%H:%M %Z" : "%Y-%m-%d %H:%M %Z", &local)
    return String(decoding: buffer.prefix(length).map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }
}
