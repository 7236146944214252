// The three ways in which an event becomes a line: for people, for programs, for the journal. Pure: no clock, no file.

import Glibc
package import Logging
import Registration

/// The form of a log line.
package enum LogFormat: String, Hashable, Sendable, CaseIterable {
  /// `2026-11-22T10:00:00.123Z info    message key=value`
  case text
  /// `{"time":"…","level":"info","message":"…","metadata":{"key":"value"}}`; every value is a string.
  case json
  /// `<6>message key=value`: the prefix is the syslog priority, which the journal strips; it adds the time itself.
  case journal

  /// The longest line in bytes, including its line feed. It is PIPE_BUF, so that a pipe takes a line whole or not at
  /// all and the lines of several writers never mix.
  package static let maximumLineLength = 4096

  /// The format for `descriptor` when none is configured: `journal` when `$JOURNAL_STREAM` (`device:inode`, see
  /// systemd.exec(5)) names the very file behind it, otherwise `text`.
  package static func detected(journalStream: String?, descriptor: Int32 = STDERR_FILENO) -> LogFormat {
    var status = stat()
    guard let journalStream, fstat(descriptor, &status) == 0 else { return .text }
    return journalStream == "\(status.st_dev):\(status.st_ino)" ? .journal : .text
  }

  /// One line with its line feed, at most `maximumLineLength` bytes. Control characters are escaped; text that is too
  /// long is cut and marked with `…`.
  func line(_ entry: LogEntry) -> String {
    let message = Self.printable(entry.message, limit: 1200)
    switch self {
    case .text:
      let level = entry.level.rawValue
      let padding = String(repeating: " ", count: max(0, 7 - level.utf8.count))
      return Self.line("\(entry.time) \(level)\(padding) \(message)", entry.fields, by: Self.assignment, end: "\n")
    case .json:
      let head =
        "{\"time\":\"\(entry.time)\",\"level\":\"\(entry.level.rawValue)\",\"message\":\(Self.quoted(message))"
      guard !entry.fields.isEmpty else { return head + "}\n" }
      return Self.line(head + ",\"metadata\":{", entry.fields, by: Self.member, end: "}}\n")
    case .journal:
      return Self.line("<\(entry.level.syslogPriority)>\(message)", entry.fields, by: Self.assignment, end: "\n")
    }
  }

  /// `head`, as many of the fields as fit, a mark if some did not fit, and `end`.
  private static func line(
    _ head: String, _ fields: [LogEntry.Field], by render: (LogEntry.Field, _ isFirst: Bool) -> String, end: String
  ) -> String {
    var line = head
    let mark = LogEntry.Field(key: "…", value: "…")
    let room = maximumLineLength - end.utf8.count - render(mark, false).utf8.count
    for (index, field) in fields.enumerated() {
      let text = render(field, index == 0)
      guard line.utf8.count + text.utf8.count <= room else {
        line += render(mark, index == 0)
        break
      }
      line += text
    }
    return line + end
  }

  private static func assignment(_ field: LogEntry.Field, isFirst: Bool) -> String {
    let value = printable(field.value, limit: 600)
    let isPlain = !value.isEmpty && !value.utf8.contains { $0 == 0x20 || $0 == 0x22 || $0 == 0x3d }
    return " \(printable(field.key, limit: 60))=\(isPlain ? value : quoted(value))"
  }

  private static func member(_ field: LogEntry.Field, isFirst: Bool) -> String {
    (isFirst ? "" : ",") + quoted(printable(field.key, limit: 60)) + ":" + quoted(printable(field.value, limit: 600))
  }

  /// Without control characters and anything that looks like a secret, and at most `limit` bytes long: one visible
  /// character can have any number of bytes.
  private static func printable(_ text: String, limit: Int) -> String {
    let text = PrintableText.escape(SecretText.redacted(text), limit: limit)
    guard text.utf8.count > limit else { return text }
    var kept = ""
    for scalar in text.unicodeScalars {
      guard kept.utf8.count + UTF8.width(scalar) + 3 <= limit else { break }
      kept.unicodeScalars.append(scalar)
    }
    return kept + "…"
  }

  /// In double quotes, as a JSON string; `text` is printable already.
  private static func quoted(_ text: String) -> String {
    var result = "\""
    for scalar in text.unicodeScalars {
      if scalar == "\"" || scalar == "\\" { result += "\\" }
      result.unicodeScalars.append(scalar)
    }
    return result + "\""
  }
}

extension Logger.Level {
  /// The priority that the journal files the level under (sd-daemon(3)): 2 critical … 6 info, 7 debug.
  package var syslogPriority: Int {
    switch self {
    case .trace, .debug: 7
    case .info: 6
    case .notice: 5
    case .warning: 4
    case .error: 3
    case .critical: 2
    }
  }
}
