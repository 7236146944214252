import Glibc
import Registration

/// Standard output, for data. A reader that has gone away ends the program quietly; a full disk does not.
enum StandardOutput {
  static func write(_ text: String) throws {
    try write(text.utf8.span.bytes)
  }

  static func line(_ text: String) throws {
    try write(text + "\n")
  }

  static func write(_ bytes: RawSpan) throws {
    do throws(SystemFault) {
      try FileIO.write(bytes, to: STDOUT_FILENO)
    } catch {
      if error.code == EPIPE { exit(0) }
      throw Failure(.inputOutput, "cannot write to standard output: \(error.text)")
    }
  }

  static var isTerminal: Bool { isatty(STDOUT_FILENO) == 1 }

  /// Columns of the terminal, 80 when unknown.
  static var columns: Int { TerminalSize(of: STDOUT_FILENO).columns }

  /// Rows of the terminal, 24 when unknown.
  static var rows: Int { TerminalSize(of: STDOUT_FILENO).rows }
}

/// Standard error, for everything else.
enum StandardError {
  static func write(_ text: String) {
    // If standard error cannot be written, there is nowhere to report it.
    try? FileIO.write(text.utf8.span.bytes, to: STDERR_FILENO)
  }

  static var isTerminal: Bool { isatty(STDERR_FILENO) == 1 }

  /// Columns of the terminal, 80 when unknown.
  static var columns: Int { TerminalSize(of: STDERR_FILENO).columns }
}

private struct TerminalSize {
  var columns = 80
  var rows = 24

  init(of descriptor: Int32) {
    var size = winsize()
    guard ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0 else { return }
    if size.ws_col > 0 { columns = Int(size.ws_col) }
    if size.ws_row > 0 { rows = Int(size.ws_row) }
  }
}
