import Foundation
import Registration

extension TerminalStyle {
  /// A reason of the daemon, its UTC times shown as local times on a terminal: `401 Unauthorized since 12:44 CET`.
  func reason(_ text: String, now: Timestamp) -> String {
    let text = PrintableText.escape(text, limit: 1_000)
    guard columns != nil else { return text }
    return text.replacing(/(\d{4}-\d\d-\d\dT)?\d\d:\d\d:\d\d(\.\d+)?Z/) { match in
      let text = match.output.0.dropLast() + (match.output.2 == nil ? ".000Z" : "Z")
      // A time without a date is within half a day.
      let day = [-43_200, 43_200].map { String(now.adding(seconds: $0).description.prefix(11)) }
      let times = (match.output.1 == nil ? day.map { $0 + text } : [String(text)]).compactMap { Timestamp($0) }
      let nearest = times.min { abs($0.seconds(since: now)) < abs($1.seconds(since: now)) }
      return nearest.map { time($0, now: now) } ?? String(match.output.0)
    }
  }
}
