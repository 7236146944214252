// Where log lines go: one descriptor, one line a write(2), so that lines never mix and nothing is lost in a buffer when the
// process is killed. A log that cannot be written (full disk, hung or vanished reader) must not take the daemon with it.

import Glibc
package import Logging
package import Registration
import Synchronization

/// The log of the process, with a level that can be changed while it runs.
///
/// A line that cannot be written within `patience` is dropped and counted; once lines are written again, one of them tells
/// how many are missing.
package final class LogOutput: Sendable {
  /// How long to wait for a reader that does not read, in milliseconds. After a first loss there is no waiting at all
  /// until a line is taken again: a hung reader costs the daemon this much once, not once a line.
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

  /// `descriptor` stays the caller's and must stay open; it is used as it is, blocking or not.
  package init(
    format: LogFormat, level: Logger.Level, descriptor: Int32 = STDERR_FILENO,
    now: @escaping @Sendable () -> Timestamp = Timestamp.now
  ) {
    self.format = format
    self.descriptor = descriptor
    self.now = now
    currentLevel = Mutex(level)
  }

  /// The least level that is written, for every logger that has not been given a level of its own.
  package var level: Logger.Level {
    get { currentLevel.withLock { $0 } }
    set { currentLevel.withLock { $0 = newValue } }
  }

  /// A logger that writes here. `label` is for the source alone; lines do not show it.
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
    var line = condition.isTorn ? "\n" + line : line
    return line.withUTF8 { bytes in
      var rest = UnsafeRawBufferPointer(bytes)
      while !rest.isEmpty {
        let written =
          isWritable(within: condition.lost == 0 ? Self.patience : 0)
          ? Glibc.write(descriptor, rest.baseAddress, rest.count) : -1
        guard written > 0 else {
          if rest.count < bytes.count { condition.isTorn = true }
          return false
        }
        rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst(written))
      }
      condition.isTorn = false
      return true
    }
  }

  /// Asked before each write, because a descriptor that blocks would do so for as long as its reader hangs. When it says
  /// yes there is room for a line: a pipe has a free page then, and a socket three quarters of its buffer.
  private func isWritable(within milliseconds: Int32) -> Bool {
    var request = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
    return poll(&request, 1, milliseconds) == 1 && request.revents & Int16(POLLOUT) != 0
  }
}
