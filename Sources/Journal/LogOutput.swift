// Where log lines go: one descriptor, one write(2) per line, so that lines never mix and nothing is lost in a buffer
// when the process is killed. A log that cannot be written (full disk, hung or vanished reader) must not stop the
// daemon.

import Glibc
package import Logging
package import Registration
import Synchronization

/// The log of the process, with a level that can be changed while it runs.
///
/// A line that cannot be written within `patience` is dropped and counted; once lines are written again, one of them
/// says how many are missing.
package final class LogOutput: Sendable {
  /// How long to wait for a reader that does not read, in milliseconds. After a first loss there is no waiting at all
  /// until a line is taken again: a hung reader costs the daemon this much once, not for every line.
  private static let patience: Int32 = 100

  package let format: LogFormat
  private let descriptor: Int32
  private let now: @Sendable () -> Timestamp
  private let currentLevel: Mutex<Logger.Level>
  private let condition = Mutex(Condition())

  private struct Condition {
    /// Lines dropped since the last one that was written.
    var lost = 0
    /// The last line was cut off before its line feed.
    var isTorn = false
  }

  /// `descriptor` belongs to the caller and must stay open; it may be blocking or not.
  package init(
    format: LogFormat, level: Logger.Level, descriptor: Int32 = STDERR_FILENO,
    now: @escaping @Sendable () -> Timestamp = Timestamp.now
  ) {
    self.format = format
    self.descriptor = descriptor
    self.now = now
    currentLevel = Mutex(level)
  }

  /// The lowest level that is written, for loggers without a level of their own.
  package var level: Logger.Level {
    get { currentLevel.withLock { $0 } }
    set { currentLevel.withLock { $0 = newValue } }
  }

  /// A logger that writes here. `label` is only for the source; lines do not show it.
  package func logger(_ label: String) -> Logger {
    Logger(label: label) { _ in LogOutputHandler(output: self) }
  }

  func write(level: Logger.Level, message: String, metadata: Logger.Metadata) {
    let line = format.line(LogEntry(time: now(), level: level, message: message, metadata: metadata))
    condition.withLock { condition in
      guard put(line, &condition) else {
        condition.lost += 1
        return
      }
      guard condition.lost > 0 else { return }
      let report = LogEntry(
        time: now(), level: .warning, message: "log lines were lost", metadata: ["lines": "\(condition.lost)"])
      if put(format.line(report), &condition) { condition.lost = 0 }
    }
  }

  /// Writes a whole line. False when it, or the rest of it, was dropped.
  private func put(_ line: String, _ condition: inout Condition) -> Bool {
    let line = condition.isTorn ? "\n" + line : line
    let bytes = line.utf8.span.bytes
    var written = 0
    while written < bytes.byteCount {
      guard isWritable(within: condition.lost == 0 ? Self.patience : 0),
        let count = try? FileIO.writeOnce(bytes.extracting(droppingFirst: written), to: descriptor)
      else {
        if written > 0 { condition.isTorn = true }
        return false
      }
      written += count
    }
    condition.isTorn = false
    return true
  }

  /// Checked before each write, because a blocking descriptor would block for as long as its reader hangs. If true,
  /// there is room for a line: a pipe then has a free page, and a socket three quarters of its buffer.
  private func isWritable(within milliseconds: Int32) -> Bool {
    var request = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
    while true {
      let count = poll(&request, 1, milliseconds)
      if count < 0, errno == EINTR { continue }
      return count == 1 && request.revents & Int16(POLLOUT) != 0
    }
  }
}
