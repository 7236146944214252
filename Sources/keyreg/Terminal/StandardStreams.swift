import Glibc

/// Standard output, for data. A reader that has gone away ends the program quietly; a full disk does not.
enum StandardOutput {
  static func write(_ text: String) throws {
    var text = text
    try text.withUTF8 { bytes in try write(UnsafeRawBufferPointer(bytes)) }
  }

  static func line(_ text: String) throws {
    try write(text + "\n")
  }

  static func write(_ bytes: UnsafeRawBufferPointer) throws {
    switch put(bytes, to: STDOUT_FILENO) {
    case 0: return
    case EPIPE: exit(0)
    case let code: throw Failure(.inputOutput, "cannot write to standard output: \(String(cString: strerror(code)))")
    }
  }

  static var isTerminal: Bool { isatty(STDOUT_FILENO) == 1 }

  /// Columns of the terminal, 80 when it does not say.
  static var columns: Int {
    var size = winsize()
    return ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0 && size.ws_col > 0 ? Int(size.ws_col) : 80
  }
}

/// Standard error, for everything else.
enum StandardError {
  static func write(_ text: String) {
    var text = text
    // Nobody is left to tell when standard error itself cannot be written.
    text.withUTF8 { bytes in _ = put(UnsafeRawBufferPointer(bytes), to: STDERR_FILENO) }
  }

  static var isTerminal: Bool { isatty(STDERR_FILENO) == 1 }
}

/// Returns 0, or the `errno` of the write that failed.
private func put(_ bytes: UnsafeRawBufferPointer, to descriptor: Int32) -> Int32 {
  var rest = bytes[...]
  while !rest.isEmpty {
    let count = Glibc.write(descriptor, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
    if count > 0 {
      rest = rest.dropFirst(count)
    } else if errno != EINTR {
      return errno
    }
  }
  return 0
}
