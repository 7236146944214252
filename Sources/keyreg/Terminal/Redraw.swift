import ControlAPI
import Synchronization

/// Draws a block of lines over the previous one, on standard output or standard error. After a resize nothing of the old
/// block remains: the terminal has wrapped its lines, so it may be higher than it was.
final class Redraw: Sendable {
  private let drawn = Mutex<[Int]>([])
  private let write: @Sendable (String) throws -> Void

  init(write: @escaping @Sendable (String) throws -> Void) {
    self.write = write
  }

  /// - Parameter columns: Of the terminal now.
  func draw(_ lines: [String], columns: Int) throws {
    try drawn.withLock { drawn in
      let height = drawn.reduce(0) { $0 + max(1, ($1 + columns - 1) / max(1, columns)) }
      // Up over the old block, and cleared to the end of the screen: nothing below it is needed.
      let up = height > 0 ? "\u{1B}[\(height)A\r" : "\r"
      try write(up + "\u{1B}[J" + lines.map { $0 + "\n" }.joined())
      drawn = lines.map { ShownText.columns($0) }
    }
  }
}
