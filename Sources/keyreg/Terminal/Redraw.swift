/// Draws a block of lines over the one before it, on standard output or standard error.
struct Redraw {
  private var height = 0
  private let write: (String) throws -> Void

  init(write: @escaping (String) throws -> Void) {
    self.write = write
  }

  mutating func draw(_ lines: [String]) throws {
    // Up over the old block, then each line cleared to its end, then whatever the old block had below.
    let up = height > 0 ? "\u{1B}[\(height)A" : ""
    try write(up + lines.map { "\r\($0)\u{1B}[K\n" }.joined() + "\u{1B}[J")
    height = lines.count
  }
}
